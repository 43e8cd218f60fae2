// The double of cuDNN 9: the constants of its interface that it knows, and its objects.
#pragma once

#include "arithmetic.h"
#include "library.h"

#include <array>

namespace cudnn {

using arithmetic::Format;
using arithmetic::Rounding;

constexpr int64_t VERSION = 90600;
constexpr int MAX_DIMENSIONS = 8;

enum Status {
    SUCCESS = 0,
    NOT_INITIALIZED = 1001,
    BAD_PARAM = 2000,
    INVALID_VALUE = 2001,
    NULL_POINTER = 2002,
    MISALIGNED_POINTER = 2003,
    NOT_FINALIZED = 2004,
    OUT_OF_BOUND = 2005,
    SIZE_INSUFFICIENT = 2006,
    SHAPE_MISMATCH = 2008,
    DUPLICATED_ENTRIES = 2009,
    ATTRIBUTE_TYPE = 2010,
    DESCRIPTOR_TYPE = 2012,
    NOT_SUPPORTED = 3000,
    NOT_SUPPORTED_GRAPH_PATTERN = 3001,
    NOT_SUPPORTED_SHAPE = 3002,
    NOT_SUPPORTED_DATA_TYPE = 3003,
    NOT_SUPPORTED_LAYOUT = 3004,
    INTERNAL_ERROR = 4000,
    ALLOC_FAILED = 4003,
    EXECUTION_FAILED = 5000
};

enum DataType { FLOAT = 0, DOUBLE = 1, HALF = 2, INT8 = 3, INT32 = 4, BFLOAT16 = 9, INT64 = 10, BOOLEAN = 11, DATA_TYPES = 15 };
enum TensorFormat { NCHW = 0, NHWC = 1, NCHW_VECT_C = 2 };
enum MathType { DEFAULT_MATH = 0, TENSOR_OP_MATH = 1, TENSOR_OP_MATH_ALLOW_CONVERSION = 2, FMA_MATH = 3 };
enum ConvolutionMode { CONVOLUTION = 0, CROSS_CORRELATION = 1 };
enum NanPropagation { NOT_PROPAGATE_NAN = 0, PROPAGATE_NAN = 1 };
enum ActivationMode { SIGMOID = 0, RELU = 1, TANH = 2, CLIPPED_RELU = 3, ELU = 4, IDENTITY = 5, SWISH = 6 };
enum PoolingMode { POOLING_MAX = 0, AVERAGE_INCLUDING_PADDING = 1, AVERAGE_EXCLUDING_PADDING = 2, POOLING_MAX_DETERMINISTIC = 3 };
enum SoftmaxAlgorithm { SOFTMAX_FAST = 0, SOFTMAX_ACCURATE = 1, SOFTMAX_LOG = 2 };
enum SoftmaxMode { SOFTMAX_INSTANCE = 0, SOFTMAX_CHANNEL = 1 };
enum BatchNormMode { PER_ACTIVATION = 0, SPATIAL = 1, SPATIAL_PERSISTENT = 2 };
enum BatchNormOps { OPS_BN = 0, OPS_BN_ACTIVATION = 1, OPS_BN_ADD_ACTIVATION = 2 };
enum OpTensorOp { OP_ADD = 0, OP_MUL = 1, OP_MIN = 2, OP_MAX = 3, OP_SQRT = 4, OP_NOT = 5 };
enum ReduceOp {
    REDUCE_ADD = 0,
    REDUCE_MUL = 1,
    REDUCE_MIN = 2,
    REDUCE_MAX = 3,
    REDUCE_AMAX = 4,
    REDUCE_AVG = 5,
    REDUCE_NORM1 = 6,
    REDUCE_NORM2 = 7,
    REDUCE_MUL_NO_ZEROS = 8
};

constexpr const char *HANDLE = "cudnnHandle";
constexpr const char *TENSOR = "cudnnTensorDescriptor";
constexpr const char *FILTER = "cudnnFilterDescriptor";
constexpr const char *CONVOLUTION_DESCRIPTOR = "cudnnConvolutionDescriptor";
constexpr const char *POOLING = "cudnnPoolingDescriptor";
constexpr const char *ACTIVATION = "cudnnActivationDescriptor";
constexpr const char *DROPOUT = "cudnnDropoutDescriptor";
constexpr const char *OP_TENSOR = "cudnnOpTensorDescriptor";
constexpr const char *REDUCE = "cudnnReduceTensorDescriptor";
constexpr const char *BACKEND = "cudnnBackendDescriptor";

struct Handle {
    library::Place place;
};

/** dims in the order N, C, H, W (or N, C, D, H, W ...), whatever the memory's order. */
struct Tensor {
    bool set = false;
    int type = FLOAT;
    int rank = 0;
    std::array<int64_t, MAX_DIMENSIONS> dims{}, strides{};

    int64_t elements() const {
        int64_t count = 1;
        for (int i = 0; i < rank; i++) {
            count *= dims[i];
        }
        return count;
    }

    /** From the first element to one past the last, in elements. */
    int64_t extent() const {
        int64_t last = 0;
        for (int i = 0; i < rank; i++) {
            last += (dims[i] - 1) * strides[i];
        }
        return last + 1;
    }

    bool sameDims(const Tensor &other) const {
        return rank == other.rank && std::equal(dims.begin(), dims.begin() + rank, other.dims.begin());
    }

    bool sameLayout(const Tensor &other) const {
        return sameDims(other) && std::equal(strides.begin(), strides.begin() + rank, other.strides.begin());
    }

    /** Dense with the channels innermost; a dimension of one element may have any stride. */
    bool channelsLast() const;
    /** Dense in the order of dims. */
    bool channelsFirst() const;
};

struct Filter {
    bool set = false;
    int type = FLOAT;
    int format = NCHW;
    int rank = 0;
    std::array<int64_t, MAX_DIMENSIONS> dims{};  // K, C / groups, R, S

    int64_t elements() const {
        int64_t count = 1;
        for (int i = 0; i < rank; i++) {
            count *= dims[i];
        }
        return count;
    }
};

struct Convolution {
    bool set = false;
    int rank = 0;  // spatial dimensions
    std::array<int64_t, MAX_DIMENSIONS> pad{}, stride{}, dilation{};
    int mode = CROSS_CORRELATION;
    int type = FLOAT;
    int math = DEFAULT_MATH;
    int groups = 1;
    int reorder = 0;
};

struct Pooling {
    bool set = false;
    int mode = POOLING_MAX;
    int nan = NOT_PROPAGATE_NAN;
    int rank = 0;
    std::array<int64_t, MAX_DIMENSIONS> window{}, pad{}, stride{};
};

struct Activation {
    bool set = false;
    int mode = RELU;
    int nan = NOT_PROPAGATE_NAN;
    double coefficient = 0;
    double swishBeta = 1;
};

/** Keeps the sentence for cudnnGetLastErrorString and returns the status. */
Status failed(Status status, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** Null after a violation: unknown, destroyed or of another kind. */
template <class T>
T *known(const char *kind, const void *object, const char *call) {
    return sim_handle_known(kind, object, call) ? static_cast<T *>(const_cast<void *>(object)) : nullptr;
}

/** An object that was set too; null otherwise. */
template <class T>
const T *filled(const char *kind, const void *object, const char *call) {
    T *found = known<T>(kind, object, call);
    if (found != nullptr && !found->set) {
        failed(BAD_PARAM, "%s: a %s that was never set", call, kind);
        return nullptr;
    }
    return found;
}

bool formatOf(int type, Format *format);
int64_t bytesOf(int type);

inline int64_t bytesOf(const Tensor &tensor) {
    return tensor.extent() * bytesOf(tensor.type);
}

inline int64_t bytesOf(const Filter &filter) {
    return filter.elements() * bytesOf(filter.type);
}

/** Scalars alpha and beta: float, or double where the data is double. */
inline float scalar(const void *value, int type) {
    return type == DOUBLE ? float(*static_cast<const double *>(value)) : *static_cast<const float *>(value);
}

/** One image of a tensor as dense floats [H, W, C]. */
struct Image {
    Format format;
    int64_t channels, height, width;
    int64_t strideN, strideC, strideH, strideW;

    explicit Image(const Tensor &t)
            : channels(t.dims[1]), height(t.dims[2]), width(t.dims[3]), strideN(t.strides[0]), strideC(t.strides[1]),
              strideH(t.strides[2]), strideW(t.strides[3]) {
        formatOf(t.type, &format);
    }

    void load(std::vector<float> &to, const void *base, int64_t n) const {
        to.resize(size_t(height * width * channels));
        for (int64_t y = 0; y < height; y++) {
            for (int64_t x = 0; x < width; x++) {
                arithmetic::load(to.data() + (y * width + x) * channels, base, format, n * strideN + y * strideH + x * strideW,
                        strideC, channels);
            }
        }
    }

    void blend(void *base, int64_t n, const float *values, float alpha, float beta) const {
        for (int64_t y = 0; y < height; y++) {
            for (int64_t x = 0; x < width; x++) {
                arithmetic::blend(base, format, n * strideN + y * strideH + x * strideW, strideC,
                        values + (y * width + x) * channels, channels, alpha, beta);
            }
        }
    }
};

/** Geometry of a two-dimensional convolution; padding may differ before and after (the graph interface has both). */
struct Geometry {
    int64_t batch, groups;
    int64_t channels, height, width;      // of x
    int64_t filters, rows, columns;       // of w; its channels are channels / groups
    int64_t outHeight, outWidth;          // of y
    int64_t padTop, padLeft, strideY, strideX, dilationY, dilationX;
    bool flipped;                         // a true convolution turns the filter around
};

/** Filters as [K, R, S, C / groups] floats. */
struct FilterImage {
    Format format;
    int64_t count, channels, rows, columns;
    int64_t strideK, strideC, strideR, strideS;

    void load(std::vector<float> &to, const void *base) const;
    void blend(void *base, const float *values, float alpha, float beta) const;
};

/** The three products. Results before alpha and beta, per image [P, Q, K], [H, W, C], or all of [K, R, S, C / groups]. */
void forward(const Geometry &g, const float *x, const float *w, float *y);
void backwardData(const Geometry &g, const float *w, const float *dy, float *dx);
/** Adds to dw. */
void backwardFilter(const Geometry &g, const float *x, const float *dy, float *dw);

/** An activation and its derivative, as cuDNN defines them. */
float activate(const Activation &activation, float x);
float derivative(const Activation &activation, float x, float y);

}  // namespace cudnn
