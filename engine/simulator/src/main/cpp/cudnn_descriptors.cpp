// Handles, errors and descriptors of the double of cuDNN.
#include "cudnn_double.h"

#include <cstdarg>
#include <cstdio>
#include <string>

namespace cudnn {

namespace {

thread_local std::string lastError;

struct NamedStatus {
    int status;
    const char *name;
};

constexpr NamedStatus NAMES[] = {
        {SUCCESS, "CUDNN_STATUS_SUCCESS"},
        {NOT_INITIALIZED, "CUDNN_STATUS_NOT_INITIALIZED"},
        {1002, "CUDNN_STATUS_SUBLIBRARY_VERSION_MISMATCH"},
        {1003, "CUDNN_STATUS_SERIALIZATION_VERSION_MISMATCH"},
        {1004, "CUDNN_STATUS_DEPRECATED"},
        {1005, "CUDNN_STATUS_LICENSE_ERROR"},
        {1006, "CUDNN_STATUS_RUNTIME_IN_PROGRESS"},
        {1007, "CUDNN_STATUS_RUNTIME_FP_OVERFLOW"},
        {1008, "CUDNN_STATUS_SUBLIBRARY_LOADING_FAILED"},
        {BAD_PARAM, "CUDNN_STATUS_BAD_PARAM"},
        {INVALID_VALUE, "CUDNN_STATUS_INVALID_VALUE"},
        {NULL_POINTER, "CUDNN_STATUS_BAD_PARAM_NULL_POINTER"},
        {MISALIGNED_POINTER, "CUDNN_STATUS_BAD_PARAM_MISALIGNED_POINTER"},
        {NOT_FINALIZED, "CUDNN_STATUS_BAD_PARAM_NOT_FINALIZED"},
        {OUT_OF_BOUND, "CUDNN_STATUS_BAD_PARAM_OUT_OF_BOUND"},
        {SIZE_INSUFFICIENT, "CUDNN_STATUS_BAD_PARAM_SIZE_INSUFFICIENT"},
        {2007, "CUDNN_STATUS_BAD_PARAM_STREAM_MISMATCH"},
        {SHAPE_MISMATCH, "CUDNN_STATUS_BAD_PARAM_SHAPE_MISMATCH"},
        {DUPLICATED_ENTRIES, "CUDNN_STATUS_BAD_PARAM_DUPLICATED_ENTRIES"},
        {ATTRIBUTE_TYPE, "CUDNN_STATUS_BAD_PARAM_ATTRIBUTE_TYPE"},
        {2011, "CUDNN_STATUS_BAD_PARAM_CUDA_GRAPH_MISMATCH"},
        {DESCRIPTOR_TYPE, "CUDNN_STATUS_BAD_PARAM_DESCRIPTOR_TYPE"},
        {NOT_SUPPORTED, "CUDNN_STATUS_NOT_SUPPORTED"},
        {NOT_SUPPORTED_GRAPH_PATTERN, "CUDNN_STATUS_NOT_SUPPORTED_GRAPH_PATTERN"},
        {NOT_SUPPORTED_SHAPE, "CUDNN_STATUS_NOT_SUPPORTED_SHAPE"},
        {NOT_SUPPORTED_DATA_TYPE, "CUDNN_STATUS_NOT_SUPPORTED_DATA_TYPE"},
        {NOT_SUPPORTED_LAYOUT, "CUDNN_STATUS_NOT_SUPPORTED_LAYOUT"},
        {3007, "CUDNN_STATUS_NOT_SUPPORTED_ARCH_MISMATCH"},
        {INTERNAL_ERROR, "CUDNN_STATUS_INTERNAL_ERROR"},
        {ALLOC_FAILED, "CUDNN_STATUS_INTERNAL_ERROR_HOST_ALLOCATION_FAILED"},
        {4004, "CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED"},
        {EXECUTION_FAILED, "CUDNN_STATUS_EXECUTION_FAILED"},
        {5001, "CUDNN_STATUS_EXECUTION_FAILED_CUDA_DRIVER"},
};

template <class T>
int create(const char *name, const char *kind, void **object) {
    SIM_ENTER(name)
    if (object == nullptr) {
        return failed(BAD_PARAM, "%s: a null pointer for the result", name);
    }
    T *made = new T;
    sim_handle_created(kind, made);
    *object = made;
    return SUCCESS;
}

template <class T>
int destroy(const char *name, const char *kind, void *object) {
    SIM_ENTER(name)
    if (object == nullptr) {
        return SUCCESS;
    }
    if (!sim_handle_destroyed(kind, object, name)) {
        return BAD_PARAM;
    }
    delete static_cast<T *>(object);
    return SUCCESS;
}

bool dataType(int type) {
    return type >= 0 && type < DATA_TYPES;
}

/** Strides of dense memory in the given order. */
void dense(Tensor &tensor, int format) {
    int64_t stride = 1;
    if (format == NHWC) {
        tensor.strides[1] = 1;
        stride = tensor.dims[1];
        for (int i = tensor.rank - 1; i >= 2; i--) {
            tensor.strides[i] = stride;
            stride *= tensor.dims[i];
        }
        tensor.strides[0] = stride;
    } else {
        for (int i = tensor.rank - 1; i >= 0; i--) {
            tensor.strides[i] = stride;
            stride *= tensor.dims[i];
        }
    }
}

int setTensor(const char *name, void *descriptor, int format, int type, int rank, const int *dims, const int *strides) {
    SIM_ENTER(name)
    Tensor *tensor = known<Tensor>(TENSOR, descriptor, name);
    if (tensor == nullptr) {
        return BAD_PARAM;
    }
    if (dims == nullptr || !dataType(type) || format < NCHW || format > NCHW_VECT_C) {
        return failed(BAD_PARAM, "%s: format=%d, data type=%d", name, format, type);
    }
    if (format == NCHW_VECT_C && type != INT8) {
        return failed(BAD_PARAM, "%s: vectors of channels of data type %d", name, type);
    }
    if (rank < 1 || rank > MAX_DIMENSIONS || format == NCHW_VECT_C || (format == NHWC && rank < 3)) {
        return failed(NOT_SUPPORTED, "%s: format=%d with %d dimensions", name, format, rank);
    }
    Tensor made;
    made.set = true;
    made.type = type;
    made.rank = rank;
    int64_t elements = 1;
    for (int i = 0; i < rank; i++) {
        made.dims[i] = dims[i];
        if (dims[i] <= 0 || (strides != nullptr && strides[i] <= 0)) {
            return failed(BAD_PARAM, "%s: dimension %d is %d%s", name, i, dims[i], strides != nullptr ? ", or its stride is not positive" : "");
        }
        elements *= dims[i];
        if (strides != nullptr) {
            made.strides[i] = strides[i];
        }
    }
    if (strides == nullptr) {
        dense(made, format);
    }
    if (elements > INT32_MAX || made.extent() > INT32_MAX) {
        return failed(NOT_SUPPORTED, "%s: %ld elements exceed 2^31 - 1", name, long(elements));
    }
    *tensor = made;
    return SUCCESS;
}

int setFilter(const char *name, void *descriptor, int type, int format, int rank, const int *dims) {
    SIM_ENTER(name)
    Filter *filter = known<Filter>(FILTER, descriptor, name);
    if (filter == nullptr) {
        return BAD_PARAM;
    }
    if (dims == nullptr || !dataType(type) || format < NCHW || format > NCHW_VECT_C) {
        return failed(BAD_PARAM, "%s: format=%d, data type=%d", name, format, type);
    }
    if (rank < 3 || rank > MAX_DIMENSIONS || format == NCHW_VECT_C) {
        return failed(NOT_SUPPORTED, "%s: format=%d with %d dimensions", name, format, rank);
    }
    Filter made;
    made.set = true;
    made.type = type;
    made.format = format;
    made.rank = rank;
    for (int i = 0; i < rank; i++) {
        if (dims[i] <= 0) {
            return failed(BAD_PARAM, "%s: dimension %d is %d", name, i, dims[i]);
        }
        made.dims[i] = dims[i];
    }
    *filter = made;
    return SUCCESS;
}

int setConvolution(
        const char *name, void *descriptor, int rank, const int *pad, const int *stride, const int *dilation, int mode, int type) {
    SIM_ENTER(name)
    Convolution *convolution = known<Convolution>(CONVOLUTION_DESCRIPTOR, descriptor, name);
    if (convolution == nullptr) {
        return BAD_PARAM;
    }
    bool accumulates = type == FLOAT || type == DOUBLE || type == HALF || type == INT32;
    if (pad == nullptr || stride == nullptr || dilation == nullptr || mode < CONVOLUTION || mode > CROSS_CORRELATION || !accumulates || rank < 1) {
        return failed(BAD_PARAM, "%s: mode=%d, compute type=%d, dimensions=%d", name, mode, type, rank);
    }
    if (rank > MAX_DIMENSIONS - 2) {
        return failed(NOT_SUPPORTED, "%s: %d dimensions", name, rank);
    }
    // Type and geometry are set together; math type, groups and reordering have setters of their own and stay.
    Convolution made = *convolution;
    made.set = true;
    made.rank = rank;
    made.mode = mode;
    made.type = type;
    for (int i = 0; i < rank; i++) {
        if (pad[i] < 0 || stride[i] <= 0 || dilation[i] <= 0) {
            return failed(BAD_PARAM, "%s: padding=%d, stride=%d, dilation=%d", name, pad[i], stride[i], dilation[i]);
        }
        made.pad[i] = pad[i];
        made.stride[i] = stride[i];
        made.dilation[i] = dilation[i];
    }
    *convolution = made;
    return SUCCESS;
}

int setPooling(
        const char *name, void *descriptor, int mode, int nan, int rank, const int *window, const int *pad, const int *stride) {
    SIM_ENTER(name)
    Pooling *pooling = known<Pooling>(POOLING, descriptor, name);
    if (pooling == nullptr) {
        return BAD_PARAM;
    }
    if (window == nullptr || pad == nullptr || stride == nullptr || mode < POOLING_MAX || mode > POOLING_MAX_DETERMINISTIC
            || nan < NOT_PROPAGATE_NAN || nan > PROPAGATE_NAN || rank < 1) {
        return failed(BAD_PARAM, "%s: mode=%d, NaN option=%d, dimensions=%d", name, mode, nan, rank);
    }
    if (rank > MAX_DIMENSIONS - 2) {
        return failed(NOT_SUPPORTED, "%s: %d dimensions", name, rank);
    }
    Pooling made;
    made.set = true;
    made.mode = mode;
    made.nan = nan;
    made.rank = rank;
    for (int i = 0; i < rank; i++) {
        if (window[i] <= 0 || stride[i] <= 0 || pad[i] < 0) {
            return failed(BAD_PARAM, "%s: window=%d, padding=%d, stride=%d", name, window[i], pad[i], stride[i]);
        }
        made.window[i] = window[i];
        made.pad[i] = pad[i];
        made.stride[i] = stride[i];
    }
    if (call.fault == SIM_SWAP_ARGS) {
        std::swap(made.window, made.stride);
    }
    *pooling = made;
    return SUCCESS;
}

}  // namespace

Status failed(Status status, const char *format, ...) {
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    std::vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    lastError = text;
    return status;
}

bool formatOf(int type, Format *format) {
    switch (type) {
        case FLOAT:
            *format = Format::F32;
            return true;
        case DOUBLE:
            *format = Format::F64;
            return true;
        case HALF:
            *format = Format::F16;
            return true;
        case BFLOAT16:
            *format = Format::BF16;
            return true;
        default:
            return false;
    }
}

int64_t bytesOf(int type) {
    switch (type) {
        case DOUBLE:
        case INT64:
            return 8;
        case FLOAT:
        case INT32:
            return 4;
        case HALF:
        case BFLOAT16:
            return 2;
        default:
            return 1;
    }
}

bool Tensor::channelsLast() const {
    int64_t stride = 1;
    auto step = [&](int i) {
        bool fits = dims[i] == 1 || strides[i] == stride;
        stride *= dims[i];
        return fits;
    };
    bool fits = step(1);
    for (int i = rank - 1; i >= 2; i--) {
        fits = step(i) && fits;
    }
    return step(0) && fits;
}

bool Tensor::channelsFirst() const {
    int64_t stride = 1;
    for (int i = rank - 1; i >= 0; i--) {
        if (dims[i] != 1 && strides[i] != stride) {
            return false;
        }
        stride *= dims[i];
    }
    return true;
}

}  // namespace cudnn

using namespace cudnn;

SIM_ENTRY_POINTS

extern "C" {

size_t cudnnGetVersion() {
    return VERSION;
}

size_t cudnnGetMaxDeviceVersion() {
    return 1000;
}

size_t cudnnGetCudartVersion() {
    return 12060;
}

int cudnnGetProperty(int type, int *value) {
    SIM_ENTER("cudnnGetProperty")
    if (value == nullptr) {
        return failed(BAD_PARAM, "cudnnGetProperty: a null pointer for the result");
    }
    switch (type) {
        case 0:
            *value = VERSION / 10000;
            return SUCCESS;
        case 1:
            *value = VERSION / 100 % 100;
            return SUCCESS;
        case 2:
            *value = VERSION % 100;
            return SUCCESS;
        default:
            return failed(INVALID_VALUE, "cudnnGetProperty: type=%d", type);
    }
}

int cudnnGraphVersionCheck() {
    return SUCCESS;
}

int cudnnOpsVersionCheck() {
    return SUCCESS;
}

int cudnnCnnVersionCheck() {
    return SUCCESS;
}

int cudnnAdvVersionCheck() {
    return SUCCESS;
}

const char *cudnnGetErrorString(int status) {
    for (const NamedStatus &each : NAMES) {
        if (each.status == status) {
            return each.name;
        }
    }
    return "CUDNN_UNKNOWN_STATUS";
}

void cudnnGetLastErrorString(char *message, size_t size) {
    if (message != nullptr && size > 0) {
        std::snprintf(message, size, "%s", lastError.c_str());
    }
    lastError.clear();
}

int cudnnCreate(void **handle) {
    SIM_ENTER("cudnnCreate")
    if (handle == nullptr) {
        return failed(BAD_PARAM, "cudnnCreate: a null pointer for the result");
    }
    *handle = nullptr;
    if (sim_unsafe_in_capture(call.name) != CUDA_SUCCESS) {
        return failed(INTERNAL_ERROR, "cudnnCreate: a stream is being captured");
    }
    CUcontext context = sim_current_context(call.name);
    if (context == nullptr) {
        return failed(NOT_INITIALIZED, "cudnnCreate: no current context");
    }
    Handle *made = new Handle;
    made->place.context = context;
    sim_handle_created(HANDLE, made);
    *handle = made;
    return SUCCESS;
}

int cudnnDestroy(void *handle) {
    SIM_ENTER("cudnnDestroy")
    Handle *gone = known<Handle>(HANDLE, handle, call.name);
    if (gone == nullptr) {
        return BAD_PARAM;
    }
    if (gone->place.context != sim_current_context(call.name)) {
        sim_violation("%s: another context is current than the one the handle was made in", call.name);
    }
    sim_handle_destroyed(HANDLE, gone, call.name);
    delete gone;
    return SUCCESS;
}

int cudnnSetStream(void *handle, CUstream stream) {
    SIM_ENTER("cudnnSetStream")
    Handle *to = known<Handle>(HANDLE, handle, call.name);
    if (to == nullptr || !sim_stream_of(stream, to->place.context, call.name)) {
        return failed(BAD_PARAM, "cudnnSetStream: no live handle, or a stream of another context");
    }
    to->place.stream = stream;
    to->place.streamSet = true;
    return SUCCESS;
}

int cudnnGetStream(void *handle, CUstream *stream) {
    SIM_ENTER("cudnnGetStream")
    Handle *of = known<Handle>(HANDLE, handle, call.name);
    if (of == nullptr || stream == nullptr) {
        return failed(BAD_PARAM, "cudnnGetStream: a null pointer");
    }
    *stream = of->place.stream;
    return SUCCESS;
}

// ---- Tensors ----

int cudnnCreateTensorDescriptor(void **descriptor) {
    return create<Tensor>("cudnnCreateTensorDescriptor", TENSOR, descriptor);
}

int cudnnDestroyTensorDescriptor(void *descriptor) {
    return destroy<Tensor>("cudnnDestroyTensorDescriptor", TENSOR, descriptor);
}

int cudnnSetTensor4dDescriptor(void *descriptor, int format, int type, int n, int c, int h, int w) {
    const int dims[] = {n, c, h, w};
    return setTensor("cudnnSetTensor4dDescriptor", descriptor, format, type, 4, dims, nullptr);
}

int cudnnSetTensor4dDescriptorEx(void *descriptor, int type, int n, int c, int h, int w, int strideN, int strideC, int strideH, int strideW) {
    const int dims[] = {n, c, h, w}, strides[] = {strideN, strideC, strideH, strideW};
    return setTensor("cudnnSetTensor4dDescriptorEx", descriptor, NCHW, type, 4, dims, strides);
}

int cudnnSetTensorNdDescriptor(void *descriptor, int type, int rank, const int *dims, const int *strides) {
    if (strides == nullptr) {
        return failed(BAD_PARAM, "cudnnSetTensorNdDescriptor: a null pointer for the strides");
    }
    return setTensor("cudnnSetTensorNdDescriptor", descriptor, NCHW, type, rank, dims, strides);
}

int cudnnSetTensorNdDescriptorEx(void *descriptor, int format, int type, int rank, const int *dims) {
    return setTensor("cudnnSetTensorNdDescriptorEx", descriptor, format, type, rank, dims, nullptr);
}

int cudnnGetTensor4dDescriptor(void *descriptor, int *type, int *n, int *c, int *h, int *w, int *strideN, int *strideC, int *strideH, int *strideW) {
    SIM_ENTER("cudnnGetTensor4dDescriptor")
    const Tensor *tensor = filled<Tensor>(TENSOR, descriptor, call.name);
    if (tensor == nullptr || tensor->rank != 4) {
        return failed(BAD_PARAM, "%s: no descriptor of four dimensions", call.name);
    }
    int *dims[] = {n, c, h, w}, *strides[] = {strideN, strideC, strideH, strideW};
    for (int i = 0; i < 4; i++) {
        if (dims[i] == nullptr || strides[i] == nullptr || type == nullptr) {
            return failed(BAD_PARAM, "%s: a null pointer for a result", call.name);
        }
        *dims[i] = int(tensor->dims[i]);
        *strides[i] = int(tensor->strides[i]);
    }
    *type = tensor->type;
    return SUCCESS;
}

int cudnnGetTensorNdDescriptor(void *descriptor, int requested, int *type, int *rank, int *dims, int *strides) {
    SIM_ENTER("cudnnGetTensorNdDescriptor")
    const Tensor *tensor = filled<Tensor>(TENSOR, descriptor, call.name);
    if (tensor == nullptr || type == nullptr || rank == nullptr || dims == nullptr || strides == nullptr || requested < 0) {
        return failed(BAD_PARAM, "%s: no filled descriptor, or a null pointer", call.name);
    }
    *type = tensor->type;
    *rank = tensor->rank;
    for (int i = 0; i < std::min(requested, tensor->rank); i++) {
        dims[i] = int(tensor->dims[i]);
        strides[i] = int(tensor->strides[i]);
    }
    return SUCCESS;
}

int cudnnGetTensorSizeInBytes(void *descriptor, size_t *size) {
    SIM_ENTER("cudnnGetTensorSizeInBytes")
    const Tensor *tensor = filled<Tensor>(TENSOR, descriptor, call.name);
    if (tensor == nullptr || size == nullptr) {
        return failed(BAD_PARAM, "%s: no filled descriptor, or a null pointer", call.name);
    }
    *size = size_t(bytesOf(*tensor));
    return SUCCESS;
}

// ---- Filters ----

int cudnnCreateFilterDescriptor(void **descriptor) {
    return create<Filter>("cudnnCreateFilterDescriptor", FILTER, descriptor);
}

int cudnnDestroyFilterDescriptor(void *descriptor) {
    return destroy<Filter>("cudnnDestroyFilterDescriptor", FILTER, descriptor);
}

int cudnnSetFilter4dDescriptor(void *descriptor, int type, int format, int k, int c, int h, int w) {
    const int dims[] = {k, c, h, w};
    return setFilter("cudnnSetFilter4dDescriptor", descriptor, type, format, 4, dims);
}

int cudnnSetFilterNdDescriptor(void *descriptor, int type, int format, int rank, const int *dims) {
    return setFilter("cudnnSetFilterNdDescriptor", descriptor, type, format, rank, dims);
}

int cudnnGetFilter4dDescriptor(void *descriptor, int *type, int *format, int *k, int *c, int *h, int *w) {
    SIM_ENTER("cudnnGetFilter4dDescriptor")
    const Filter *filter = filled<Filter>(FILTER, descriptor, call.name);
    if (filter == nullptr || filter->rank != 4 || type == nullptr || format == nullptr || k == nullptr || c == nullptr || h == nullptr
            || w == nullptr) {
        return failed(BAD_PARAM, "%s: no descriptor of four dimensions, or a null pointer", call.name);
    }
    *type = filter->type;
    *format = filter->format;
    *k = int(filter->dims[0]);
    *c = int(filter->dims[1]);
    *h = int(filter->dims[2]);
    *w = int(filter->dims[3]);
    return SUCCESS;
}

int cudnnGetFilterNdDescriptor(void *descriptor, int requested, int *type, int *format, int *rank, int *dims) {
    SIM_ENTER("cudnnGetFilterNdDescriptor")
    const Filter *filter = filled<Filter>(FILTER, descriptor, call.name);
    if (filter == nullptr || type == nullptr || format == nullptr || rank == nullptr || dims == nullptr || requested < 0) {
        return failed(BAD_PARAM, "%s: no filled descriptor, or a null pointer", call.name);
    }
    *type = filter->type;
    *format = filter->format;
    *rank = filter->rank;
    for (int i = 0; i < std::min(requested, filter->rank); i++) {
        dims[i] = int(filter->dims[i]);
    }
    return SUCCESS;
}

int cudnnGetFilterSizeInBytes(void *descriptor, size_t *size) {
    SIM_ENTER("cudnnGetFilterSizeInBytes")
    const Filter *filter = filled<Filter>(FILTER, descriptor, call.name);
    if (filter == nullptr || size == nullptr) {
        return failed(BAD_PARAM, "%s: no filled descriptor, or a null pointer", call.name);
    }
    *size = size_t(bytesOf(*filter));
    return SUCCESS;
}

// ---- Convolutions ----

int cudnnCreateConvolutionDescriptor(void **descriptor) {
    return create<Convolution>("cudnnCreateConvolutionDescriptor", CONVOLUTION_DESCRIPTOR, descriptor);
}

int cudnnDestroyConvolutionDescriptor(void *descriptor) {
    return destroy<Convolution>("cudnnDestroyConvolutionDescriptor", CONVOLUTION_DESCRIPTOR, descriptor);
}

int cudnnSetConvolution2dDescriptor(void *descriptor, int padH, int padW, int strideH, int strideW, int dilationH, int dilationW, int mode, int type) {
    const int pad[] = {padH, padW}, stride[] = {strideH, strideW}, dilation[] = {dilationH, dilationW};
    return setConvolution("cudnnSetConvolution2dDescriptor", descriptor, 2, pad, stride, dilation, mode, type);
}

int cudnnSetConvolutionNdDescriptor(void *descriptor, int rank, const int *pad, const int *stride, const int *dilation, int mode, int type) {
    return setConvolution("cudnnSetConvolutionNdDescriptor", descriptor, rank, pad, stride, dilation, mode, type);
}

int cudnnGetConvolution2dDescriptor(void *descriptor, int *padH, int *padW, int *strideH, int *strideW, int *dilationH, int *dilationW, int *mode, int *type) {
    SIM_ENTER("cudnnGetConvolution2dDescriptor")
    const Convolution *from = filled<Convolution>(CONVOLUTION_DESCRIPTOR, descriptor, call.name);
    if (from == nullptr || from->rank != 2 || padH == nullptr || padW == nullptr || strideH == nullptr || strideW == nullptr
            || dilationH == nullptr || dilationW == nullptr || mode == nullptr || type == nullptr) {
        return failed(BAD_PARAM, "%s: no descriptor of two dimensions, or a null pointer", call.name);
    }
    *padH = int(from->pad[0]);
    *padW = int(from->pad[1]);
    *strideH = int(from->stride[0]);
    *strideW = int(from->stride[1]);
    *dilationH = int(from->dilation[0]);
    *dilationW = int(from->dilation[1]);
    *mode = from->mode;
    *type = from->type;
    return SUCCESS;
}

int cudnnGetConvolutionNdDescriptor(void *descriptor, int requested, int *rank, int *pad, int *stride, int *dilation, int *mode, int *type) {
    SIM_ENTER("cudnnGetConvolutionNdDescriptor")
    const Convolution *from = filled<Convolution>(CONVOLUTION_DESCRIPTOR, descriptor, call.name);
    if (from == nullptr || rank == nullptr || pad == nullptr || stride == nullptr || dilation == nullptr || mode == nullptr || type == nullptr
            || requested < 0) {
        return failed(BAD_PARAM, "%s: no filled descriptor, or a null pointer", call.name);
    }
    *rank = from->rank;
    for (int i = 0; i < std::min(requested, from->rank); i++) {
        pad[i] = int(from->pad[i]);
        stride[i] = int(from->stride[i]);
        dilation[i] = int(from->dilation[i]);
    }
    *mode = from->mode;
    *type = from->type;
    return SUCCESS;
}

int cudnnSetConvolutionMathType(void *descriptor, int math) {
    SIM_ENTER("cudnnSetConvolutionMathType")
    Convolution *to = known<Convolution>(CONVOLUTION_DESCRIPTOR, descriptor, call.name);
    if (to == nullptr || math < DEFAULT_MATH || math > FMA_MATH) {
        return failed(BAD_PARAM, "%s: math type=%d", call.name, math);
    }
    to->math = math;
    return SUCCESS;
}

int cudnnGetConvolutionMathType(void *descriptor, int *math) {
    SIM_ENTER("cudnnGetConvolutionMathType")
    const Convolution *from = known<Convolution>(CONVOLUTION_DESCRIPTOR, descriptor, call.name);
    if (from == nullptr || math == nullptr) {
        return failed(BAD_PARAM, "%s: a null pointer", call.name);
    }
    *math = from->math;
    return SUCCESS;
}

int cudnnSetConvolutionGroupCount(void *descriptor, int groups) {
    SIM_ENTER("cudnnSetConvolutionGroupCount")
    Convolution *to = known<Convolution>(CONVOLUTION_DESCRIPTOR, descriptor, call.name);
    if (to == nullptr || groups < 1) {
        return failed(BAD_PARAM, "%s: groups=%d", call.name, groups);
    }
    to->groups = groups;
    return SUCCESS;
}

int cudnnGetConvolutionGroupCount(void *descriptor, int *groups) {
    SIM_ENTER("cudnnGetConvolutionGroupCount")
    const Convolution *from = known<Convolution>(CONVOLUTION_DESCRIPTOR, descriptor, call.name);
    if (from == nullptr || groups == nullptr) {
        return failed(BAD_PARAM, "%s: a null pointer", call.name);
    }
    *groups = from->groups;
    return SUCCESS;
}

int cudnnSetConvolutionReorderType(void *descriptor, int reorder) {
    SIM_ENTER("cudnnSetConvolutionReorderType")
    Convolution *to = known<Convolution>(CONVOLUTION_DESCRIPTOR, descriptor, call.name);
    if (to == nullptr || reorder < 0 || reorder > 1) {
        return failed(BAD_PARAM, "%s: reordering=%d", call.name, reorder);
    }
    to->reorder = reorder;
    return SUCCESS;
}

int cudnnGetConvolutionReorderType(void *descriptor, int *reorder) {
    SIM_ENTER("cudnnGetConvolutionReorderType")
    const Convolution *from = known<Convolution>(CONVOLUTION_DESCRIPTOR, descriptor, call.name);
    if (from == nullptr || reorder == nullptr) {
        return failed(BAD_PARAM, "%s: a null pointer", call.name);
    }
    *reorder = from->reorder;
    return SUCCESS;
}

// ---- Pooling ----

int cudnnCreatePoolingDescriptor(void **descriptor) {
    return create<Pooling>("cudnnCreatePoolingDescriptor", POOLING, descriptor);
}

int cudnnDestroyPoolingDescriptor(void *descriptor) {
    return destroy<Pooling>("cudnnDestroyPoolingDescriptor", POOLING, descriptor);
}

int cudnnSetPooling2dDescriptor(void *descriptor, int mode, int nan, int windowH, int windowW, int padH, int padW, int strideH, int strideW) {
    const int window[] = {windowH, windowW}, pad[] = {padH, padW}, stride[] = {strideH, strideW};
    return setPooling("cudnnSetPooling2dDescriptor", descriptor, mode, nan, 2, window, pad, stride);
}

int cudnnSetPoolingNdDescriptor(void *descriptor, int mode, int nan, int rank, const int *window, const int *pad, const int *stride) {
    return setPooling("cudnnSetPoolingNdDescriptor", descriptor, mode, nan, rank, window, pad, stride);
}

int cudnnGetPooling2dDescriptor(void *descriptor, int *mode, int *nan, int *windowH, int *windowW, int *padH, int *padW, int *strideH, int *strideW) {
    SIM_ENTER("cudnnGetPooling2dDescriptor")
    const Pooling *from = filled<Pooling>(POOLING, descriptor, call.name);
    if (from == nullptr || from->rank != 2 || mode == nullptr || nan == nullptr || windowH == nullptr || windowW == nullptr
            || padH == nullptr || padW == nullptr || strideH == nullptr || strideW == nullptr) {
        return failed(BAD_PARAM, "%s: no descriptor of two dimensions, or a null pointer", call.name);
    }
    *mode = from->mode;
    *nan = from->nan;
    *windowH = int(from->window[0]);
    *windowW = int(from->window[1]);
    *padH = int(from->pad[0]);
    *padW = int(from->pad[1]);
    *strideH = int(from->stride[0]);
    *strideW = int(from->stride[1]);
    return SUCCESS;
}

int cudnnGetPoolingNdDescriptor(void *descriptor, int requested, int *mode, int *nan, int *rank, int *window, int *pad, int *stride) {
    SIM_ENTER("cudnnGetPoolingNdDescriptor")
    const Pooling *from = filled<Pooling>(POOLING, descriptor, call.name);
    if (from == nullptr || mode == nullptr || nan == nullptr || rank == nullptr || window == nullptr || pad == nullptr || stride == nullptr
            || requested < 0) {
        return failed(BAD_PARAM, "%s: no filled descriptor, or a null pointer", call.name);
    }
    *mode = from->mode;
    *nan = from->nan;
    *rank = from->rank;
    for (int i = 0; i < std::min(requested, from->rank); i++) {
        window[i] = int(from->window[i]);
        pad[i] = int(from->pad[i]);
        stride[i] = int(from->stride[i]);
    }
    return SUCCESS;
}

// ---- Activations ----

int cudnnCreateActivationDescriptor(void **descriptor) {
    return create<Activation>("cudnnCreateActivationDescriptor", ACTIVATION, descriptor);
}

int cudnnDestroyActivationDescriptor(void *descriptor) {
    return destroy<Activation>("cudnnDestroyActivationDescriptor", ACTIVATION, descriptor);
}

int cudnnSetActivationDescriptor(void *descriptor, int mode, int nan, double coefficient) {
    SIM_ENTER("cudnnSetActivationDescriptor")
    Activation *to = known<Activation>(ACTIVATION, descriptor, call.name);
    if (to == nullptr || mode < SIGMOID || mode > SWISH || nan < NOT_PROPAGATE_NAN || nan > PROPAGATE_NAN) {
        return failed(BAD_PARAM, "%s: mode=%d, NaN option=%d", call.name, mode, nan);
    }
    to->set = true;
    to->mode = mode;
    to->nan = nan;
    to->coefficient = coefficient;
    return SUCCESS;
}

int cudnnGetActivationDescriptor(void *descriptor, int *mode, int *nan, double *coefficient) {
    SIM_ENTER("cudnnGetActivationDescriptor")
    const Activation *from = filled<Activation>(ACTIVATION, descriptor, call.name);
    if (from == nullptr || mode == nullptr || nan == nullptr || coefficient == nullptr) {
        return failed(BAD_PARAM, "%s: no filled descriptor, or a null pointer", call.name);
    }
    *mode = from->mode;
    *nan = from->nan;
    *coefficient = from->coefficient;
    return SUCCESS;
}

int cudnnSetActivationDescriptorSwishBeta(void *descriptor, double beta) {
    SIM_ENTER("cudnnSetActivationDescriptorSwishBeta")
    Activation *to = known<Activation>(ACTIVATION, descriptor, call.name);
    if (to == nullptr) {
        return BAD_PARAM;
    }
    to->swishBeta = beta;
    return SUCCESS;
}

int cudnnGetActivationDescriptorSwishBeta(void *descriptor, double *beta) {
    SIM_ENTER("cudnnGetActivationDescriptorSwishBeta")
    const Activation *from = known<Activation>(ACTIVATION, descriptor, call.name);
    if (from == nullptr || beta == nullptr) {
        return failed(BAD_PARAM, "%s: a null pointer", call.name);
    }
    *beta = from->swishBeta;
    return SUCCESS;
}

}  // extern "C"
