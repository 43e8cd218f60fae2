// The graph interface of the double of cuDNN: convolutions alone, and forward convolutions with what follows elementwise.
//
// Descriptors hold their attributes as they were set, other descriptors as copies, as the library does (9.24): what they were made from may be destroyed. Finalizing one checks
// them; a finalized descriptor never changes.
#include "cudnn_double.h"

#include <atomic>
#include <map>
#include <memory>

namespace cudnn {

namespace {

enum Kind {
    POINTWISE = 0,
    CONVOLUTION_KIND = 1,
    ENGINE = 2,
    ENGINE_CONFIG = 3,
    HEURISTICS = 4,
    PLAN = 5,
    KNOB_CHOICE = 7,
    KNOB_INFO = 8,
    FORWARD_OP = 10,
    BACKWARD_FILTER_OP = 11,
    BACKWARD_DATA_OP = 12,
    POINTWISE_OP = 13,
    GRAPH = 15,
    VARIANT_PACK = 16,
    TENSOR_KIND = 17,
    KINDS = 36
};

enum Type {
    TYPE_HANDLE = 0,
    TYPE_DATA_TYPE = 1,
    TYPE_BOOLEAN = 2,
    TYPE_INT64 = 3,
    TYPE_FLOAT = 4,
    TYPE_DOUBLE = 5,
    TYPE_VOID_PTR = 6,
    TYPE_CONVOLUTION_MODE = 7,
    TYPE_HEUR_MODE = 8,
    TYPE_KNOB_TYPE = 9,
    TYPE_NAN_PROPAGATION = 10,
    TYPE_NUMERICAL_NOTE = 11,
    TYPE_POINTWISE_MODE = 14,
    TYPE_DESCRIPTOR = 15,
    TYPE_BEHAVIOR_NOTE = 19,
    TYPE_REORDERING_MODE = 20,
    TYPE_INT32 = 23,
    // Of alpha and beta: FLOAT or DOUBLE.
    TYPE_SCALAR = 1000
};

enum Name {
    POINTWISE_MODE = 0,
    POINTWISE_MATH_PREC = 1,
    POINTWISE_NAN_PROPAGATION = 2,
    POINTWISE_RELU_LOWER_CLIP = 3,
    POINTWISE_RELU_UPPER_CLIP = 4,
    POINTWISE_RELU_LOWER_CLIP_SLOPE = 5,
    CONVOLUTION_COMP_TYPE = 100,
    CONVOLUTION_CONV_MODE = 101,
    CONVOLUTION_DILATIONS = 102,
    CONVOLUTION_FILTER_STRIDES = 103,
    CONVOLUTION_POST_PADDINGS = 104,
    CONVOLUTION_PRE_PADDINGS = 105,
    CONVOLUTION_SPATIAL_DIMS = 106,
    ENGINEHEUR_MODE = 200,
    ENGINEHEUR_OPERATION_GRAPH = 201,
    ENGINEHEUR_RESULTS = 202,
    ENGINEHEUR_SM_COUNT_TARGET = 203,
    ENGINECFG_ENGINE = 300,
    ENGINECFG_KNOB_CHOICES = 302,
    ENGINECFG_WORKSPACE_SIZE = 303,
    PLAN_HANDLE = 400,
    PLAN_ENGINE_CONFIG = 401,
    PLAN_WORKSPACE_SIZE = 402,
    KNOB_CHOICE_TYPE = 600,
    KNOB_CHOICE_VALUE = 601,
    FORWARD_ALPHA = 700,
    FORWARD_BETA = 701,
    FORWARD_CONV_DESC = 702,
    FORWARD_W = 703,
    FORWARD_X = 704,
    FORWARD_Y = 705,
    DATA_ALPHA = 706,
    DATA_BETA = 707,
    DATA_CONV_DESC = 708,
    DATA_W = 709,
    DATA_DX = 710,
    DATA_DY = 711,
    FILTER_ALPHA = 712,
    FILTER_BETA = 713,
    FILTER_CONV_DESC = 714,
    FILTER_DW = 715,
    FILTER_X = 716,
    FILTER_DY = 717,
    POINTWISE_OP_DESCRIPTOR = 750,
    POINTWISE_OP_X = 751,
    POINTWISE_OP_B = 752,
    POINTWISE_OP_Y = 753,
    POINTWISE_OP_ALPHA1 = 754,
    POINTWISE_OP_ALPHA2 = 755,
    GRAPH_HANDLE = 800,
    GRAPH_OPS = 801,
    GRAPH_ENGINE_GLOBAL_COUNT = 802,
    TENSOR_BYTE_ALIGNMENT = 900,
    TENSOR_DATA_TYPE = 901,
    TENSOR_DIMENSIONS = 902,
    TENSOR_STRIDES = 903,
    TENSOR_VECTOR_COUNT = 904,
    TENSOR_VECTORIZED_DIMENSION = 905,
    TENSOR_UNIQUE_ID = 906,
    TENSOR_IS_VIRTUAL = 907,
    TENSOR_IS_BY_VALUE = 908,
    TENSOR_REORDERING_MODE = 909,
    VARIANT_PACK_UNIQUE_IDS = 1000,
    VARIANT_PACK_DATA_POINTERS = 1001,
    VARIANT_PACK_WORKSPACE = 1003,
    ENGINE_OPERATION_GRAPH = 1300,
    ENGINE_GLOBAL_INDEX = 1301,
    ENGINE_KNOB_INFO = 1302,
    ENGINE_NUMERICAL_NOTE = 1303,
    ENGINE_BEHAVIOR_NOTE = 1305,
    ENGINE_SM_COUNT_TARGET = 1306
};

enum Note { NOTE_TENSOR_CORE = 0, NOTE_REDUCED_PRECISION_REDUCTION = 2, NOTE_NONDETERMINISTIC = 4 };
constexpr int NOTE_RUNTIME_COMPILATION = 0;

enum PointwiseMode { POINTWISE_ADD = 0, POINTWISE_RELU_FWD = 100, POINTWISE_IDENTITY = 21 };

enum Use { OPTIONAL, REQUIRED, READ_ONLY };

constexpr int ANY = MAX_DIMENSIONS;
constexpr int MANY = 1 << 20;

/** One attribute: the descriptor it belongs to, its type, how many elements it may have, the kind of the descriptors it holds. */
struct Rule {
    int kind, name, type, most;
    Use use;
    int of = -1;
};

constexpr int OPERATION = -2;

constexpr Rule RULES[] = {
        {TENSOR_KIND, TENSOR_BYTE_ALIGNMENT, TYPE_INT64, 1, REQUIRED},
        {TENSOR_KIND, TENSOR_DATA_TYPE, TYPE_DATA_TYPE, 1, REQUIRED},
        {TENSOR_KIND, TENSOR_DIMENSIONS, TYPE_INT64, ANY, REQUIRED},
        {TENSOR_KIND, TENSOR_STRIDES, TYPE_INT64, ANY, REQUIRED},
        {TENSOR_KIND, TENSOR_UNIQUE_ID, TYPE_INT64, 1, REQUIRED},
        {TENSOR_KIND, TENSOR_VECTOR_COUNT, TYPE_INT64, 1, OPTIONAL},
        {TENSOR_KIND, TENSOR_VECTORIZED_DIMENSION, TYPE_INT64, 1, OPTIONAL},
        {TENSOR_KIND, TENSOR_IS_VIRTUAL, TYPE_BOOLEAN, 1, OPTIONAL},
        {TENSOR_KIND, TENSOR_IS_BY_VALUE, TYPE_BOOLEAN, 1, OPTIONAL},
        {TENSOR_KIND, TENSOR_REORDERING_MODE, TYPE_REORDERING_MODE, 1, OPTIONAL},
        {CONVOLUTION_KIND, CONVOLUTION_COMP_TYPE, TYPE_DATA_TYPE, 1, REQUIRED},
        {CONVOLUTION_KIND, CONVOLUTION_CONV_MODE, TYPE_CONVOLUTION_MODE, 1, REQUIRED},
        {CONVOLUTION_KIND, CONVOLUTION_DILATIONS, TYPE_INT64, ANY, REQUIRED},
        {CONVOLUTION_KIND, CONVOLUTION_FILTER_STRIDES, TYPE_INT64, ANY, REQUIRED},
        {CONVOLUTION_KIND, CONVOLUTION_POST_PADDINGS, TYPE_INT64, ANY, REQUIRED},
        {CONVOLUTION_KIND, CONVOLUTION_PRE_PADDINGS, TYPE_INT64, ANY, REQUIRED},
        {CONVOLUTION_KIND, CONVOLUTION_SPATIAL_DIMS, TYPE_INT64, 1, REQUIRED},
        {POINTWISE, POINTWISE_MODE, TYPE_POINTWISE_MODE, 1, REQUIRED},
        {POINTWISE, POINTWISE_MATH_PREC, TYPE_DATA_TYPE, 1, REQUIRED},
        {POINTWISE, POINTWISE_NAN_PROPAGATION, TYPE_NAN_PROPAGATION, 1, OPTIONAL},
        {POINTWISE, POINTWISE_RELU_LOWER_CLIP, TYPE_SCALAR, 1, OPTIONAL},
        {POINTWISE, POINTWISE_RELU_UPPER_CLIP, TYPE_SCALAR, 1, OPTIONAL},
        {POINTWISE, POINTWISE_RELU_LOWER_CLIP_SLOPE, TYPE_SCALAR, 1, OPTIONAL},
        {FORWARD_OP, FORWARD_ALPHA, TYPE_SCALAR, 1, REQUIRED},
        {FORWARD_OP, FORWARD_BETA, TYPE_SCALAR, 1, REQUIRED},
        {FORWARD_OP, FORWARD_CONV_DESC, TYPE_DESCRIPTOR, 1, REQUIRED, CONVOLUTION_KIND},
        {FORWARD_OP, FORWARD_W, TYPE_DESCRIPTOR, 1, REQUIRED, TENSOR_KIND},
        {FORWARD_OP, FORWARD_X, TYPE_DESCRIPTOR, 1, REQUIRED, TENSOR_KIND},
        {FORWARD_OP, FORWARD_Y, TYPE_DESCRIPTOR, 1, REQUIRED, TENSOR_KIND},
        {BACKWARD_DATA_OP, DATA_ALPHA, TYPE_SCALAR, 1, REQUIRED},
        {BACKWARD_DATA_OP, DATA_BETA, TYPE_SCALAR, 1, REQUIRED},
        {BACKWARD_DATA_OP, DATA_CONV_DESC, TYPE_DESCRIPTOR, 1, REQUIRED, CONVOLUTION_KIND},
        {BACKWARD_DATA_OP, DATA_W, TYPE_DESCRIPTOR, 1, REQUIRED, TENSOR_KIND},
        {BACKWARD_DATA_OP, DATA_DX, TYPE_DESCRIPTOR, 1, REQUIRED, TENSOR_KIND},
        {BACKWARD_DATA_OP, DATA_DY, TYPE_DESCRIPTOR, 1, REQUIRED, TENSOR_KIND},
        {BACKWARD_FILTER_OP, FILTER_ALPHA, TYPE_SCALAR, 1, REQUIRED},
        {BACKWARD_FILTER_OP, FILTER_BETA, TYPE_SCALAR, 1, REQUIRED},
        {BACKWARD_FILTER_OP, FILTER_CONV_DESC, TYPE_DESCRIPTOR, 1, REQUIRED, CONVOLUTION_KIND},
        {BACKWARD_FILTER_OP, FILTER_DW, TYPE_DESCRIPTOR, 1, REQUIRED, TENSOR_KIND},
        {BACKWARD_FILTER_OP, FILTER_X, TYPE_DESCRIPTOR, 1, REQUIRED, TENSOR_KIND},
        {BACKWARD_FILTER_OP, FILTER_DY, TYPE_DESCRIPTOR, 1, REQUIRED, TENSOR_KIND},
        {POINTWISE_OP, POINTWISE_OP_DESCRIPTOR, TYPE_DESCRIPTOR, 1, REQUIRED, POINTWISE},
        {POINTWISE_OP, POINTWISE_OP_X, TYPE_DESCRIPTOR, 1, REQUIRED, TENSOR_KIND},
        {POINTWISE_OP, POINTWISE_OP_B, TYPE_DESCRIPTOR, 1, OPTIONAL, TENSOR_KIND},
        {POINTWISE_OP, POINTWISE_OP_Y, TYPE_DESCRIPTOR, 1, REQUIRED, TENSOR_KIND},
        {POINTWISE_OP, POINTWISE_OP_ALPHA1, TYPE_SCALAR, 1, OPTIONAL},
        {POINTWISE_OP, POINTWISE_OP_ALPHA2, TYPE_SCALAR, 1, OPTIONAL},
        {GRAPH, GRAPH_HANDLE, TYPE_HANDLE, 1, REQUIRED},
        {GRAPH, GRAPH_OPS, TYPE_DESCRIPTOR, MANY, REQUIRED, OPERATION},
        {GRAPH, GRAPH_ENGINE_GLOBAL_COUNT, TYPE_INT64, 1, READ_ONLY},
        {HEURISTICS, ENGINEHEUR_MODE, TYPE_HEUR_MODE, 1, REQUIRED},
        {HEURISTICS, ENGINEHEUR_OPERATION_GRAPH, TYPE_DESCRIPTOR, 1, REQUIRED, GRAPH},
        {HEURISTICS, ENGINEHEUR_SM_COUNT_TARGET, TYPE_INT32, 1, OPTIONAL},
        {HEURISTICS, ENGINEHEUR_RESULTS, TYPE_DESCRIPTOR, MANY, READ_ONLY, ENGINE_CONFIG},
        {ENGINE, ENGINE_OPERATION_GRAPH, TYPE_DESCRIPTOR, 1, REQUIRED, GRAPH},
        {ENGINE, ENGINE_GLOBAL_INDEX, TYPE_INT64, 1, REQUIRED},
        {ENGINE, ENGINE_SM_COUNT_TARGET, TYPE_INT32, 1, OPTIONAL},
        {ENGINE, ENGINE_KNOB_INFO, TYPE_DESCRIPTOR, MANY, READ_ONLY, KNOB_INFO},
        {ENGINE, ENGINE_NUMERICAL_NOTE, TYPE_NUMERICAL_NOTE, MANY, READ_ONLY},
        {ENGINE, ENGINE_BEHAVIOR_NOTE, TYPE_BEHAVIOR_NOTE, MANY, READ_ONLY},
        {ENGINE_CONFIG, ENGINECFG_ENGINE, TYPE_DESCRIPTOR, 1, REQUIRED, ENGINE},
        {ENGINE_CONFIG, ENGINECFG_KNOB_CHOICES, TYPE_DESCRIPTOR, MANY, OPTIONAL, KNOB_CHOICE},
        {ENGINE_CONFIG, ENGINECFG_WORKSPACE_SIZE, TYPE_INT64, 1, READ_ONLY},
        {KNOB_CHOICE, KNOB_CHOICE_TYPE, TYPE_KNOB_TYPE, 1, REQUIRED},
        {KNOB_CHOICE, KNOB_CHOICE_VALUE, TYPE_INT64, 1, REQUIRED},
        {PLAN, PLAN_HANDLE, TYPE_HANDLE, 1, REQUIRED},
        {PLAN, PLAN_ENGINE_CONFIG, TYPE_DESCRIPTOR, 1, REQUIRED, ENGINE_CONFIG},
        {PLAN, PLAN_WORKSPACE_SIZE, TYPE_INT64, 1, READ_ONLY},
        {VARIANT_PACK, VARIANT_PACK_UNIQUE_IDS, TYPE_INT64, MANY, REQUIRED},
        {VARIANT_PACK, VARIANT_PACK_DATA_POINTERS, TYPE_VOID_PTR, MANY, REQUIRED},
        {VARIANT_PACK, VARIANT_PACK_WORKSPACE, TYPE_VOID_PTR, 1, OPTIONAL},
};

const Rule *ruleOf(int kind, int name) {
    for (const Rule &rule : RULES) {
        if (rule.kind == kind && rule.name == name) {
            return &rule;
        }
    }
    return nullptr;
}

size_t sizeOf(int type) {
    switch (type) {
        case TYPE_BOOLEAN:
            return 1;
        case TYPE_HANDLE:
        case TYPE_INT64:
        case TYPE_DOUBLE:
        case TYPE_VOID_PTR:
        case TYPE_DESCRIPTOR:
            return 8;
        default:
            return 4;
    }
}

struct State;
using Reference = std::shared_ptr<State>;

struct Attribute {
    int type = 0;
    int64_t count = 0;
    std::vector<char> bytes;
    std::vector<Reference> descriptors;
    bool whole = true;  // every descriptor was finalized
};

/** What a convolution operation comes to. */
struct Shape {
    int kind = FORWARD_OP;
    Geometry geometry{};
    Tensor x, w, y;
    int compute = FLOAT;
    float alpha = 1, beta = 0;
};

struct State {
    int kind = 0;
    bool finalized = false;
    bool owned = true;  // the caller's; false for what the library made for itself
    std::map<int, Attribute> attributes;

    bool has(int name) const {
        return attributes.count(name) != 0;
    }

    template <class T>
    T value(int name, T otherwise = T()) const {
        auto found = attributes.find(name);
        if (found == attributes.end() || found->second.bytes.size() < sizeof(T)) {
            return otherwise;
        }
        T result;
        std::memcpy(&result, found->second.bytes.data(), sizeof(T));
        return result;
    }

    template <class T>
    std::vector<T> values(int name) const {
        auto found = attributes.find(name);
        std::vector<T> result;
        if (found != attributes.end()) {
            result.resize(size_t(found->second.count));
            std::memcpy(result.data(), found->second.bytes.data(), result.size() * sizeof(T));
        }
        return result;
    }

    Reference descriptor(int name) const {
        auto found = attributes.find(name);
        return found == attributes.end() || found->second.descriptors.empty() ? nullptr : found->second.descriptors[0];
    }

    float number(int name, float otherwise) const {
        auto found = attributes.find(name);
        return found == attributes.end() ? otherwise : found->second.type == TYPE_DOUBLE ? float(value<double>(name)) : value<float>(name);
    }

    template <class T>
    void put(int name, int type, const std::vector<T> &values) {
        Attribute &to = attributes[name];
        to.type = type;
        to.count = int64_t(values.size());
        to.bytes.assign(reinterpret_cast<const char *>(values.data()), reinterpret_cast<const char *>(values.data() + values.size()));
    }

    void put(int name, const std::vector<Reference> &descriptors) {
        Attribute &to = attributes[name];
        to.type = TYPE_DESCRIPTOR;
        to.count = int64_t(descriptors.size());
        to.descriptors = descriptors;
    }
};

/** What the caller holds. */
struct Descriptor {
    Reference state;
};

Descriptor *held(void *descriptor, const char *call) {
    return cudnn::known<Descriptor>(BACKEND, descriptor, call);
}

// ---- Tensors and operations ----

Tensor tensorOf(const State &state) {
    Tensor tensor;
    tensor.set = true;
    tensor.type = state.value<int>(TENSOR_DATA_TYPE);
    auto dims = state.values<int64_t>(TENSOR_DIMENSIONS), strides = state.values<int64_t>(TENSOR_STRIDES);
    tensor.rank = int(dims.size());
    std::copy(dims.begin(), dims.end(), tensor.dims.begin());
    std::copy(strides.begin(), strides.end(), tensor.strides.begin());
    return tensor;
}

bool isVirtual(const State &tensor) {
    return tensor.value<bool>(TENSOR_IS_VIRTUAL);
}

int64_t idOf(const State &tensor) {
    return tensor.value<int64_t>(TENSOR_UNIQUE_ID);
}

Status finalizeTensor(const State &state) {
    auto dims = state.values<int64_t>(TENSOR_DIMENSIONS), strides = state.values<int64_t>(TENSOR_STRIDES);
    if (dims.size() != strides.size()) {
        return failed(BAD_PARAM, "tensor %ld: %zu dimensions, %zu strides", long(idOf(state)), dims.size(), strides.size());
    }
    for (size_t i = 0; i < dims.size(); i++) {
        if (dims[i] <= 0 || strides[i] <= 0) {
            return failed(BAD_PARAM, "tensor %ld: dimension %zu is %ld with stride %ld", long(idOf(state)), i, long(dims[i]), long(strides[i]));
        }
    }
    int64_t alignment = state.value<int64_t>(TENSOR_BYTE_ALIGNMENT), width = bytesOf(state.value<int>(TENSOR_DATA_TYPE));
    if (alignment <= 0 || alignment % width != 0 || (alignment & (alignment - 1)) != 0) {
        return failed(BAD_PARAM, "tensor %ld: an alignment of %ld bytes for elements of %ld", long(idOf(state)), long(alignment), long(width));
    }
    if (state.value<int64_t>(TENSOR_VECTOR_COUNT, 1) != 1 || state.value<bool>(TENSOR_IS_BY_VALUE) || state.value<int>(TENSOR_REORDERING_MODE) != 0) {
        return failed(NOT_SUPPORTED, "tensor %ld: vectors, values and reordering", long(idOf(state)));
    }
    return SUCCESS;
}

Status finalizeConvolution(const State &state) {
    int64_t spatial = state.value<int64_t>(CONVOLUTION_SPATIAL_DIMS);
    for (int name : {CONVOLUTION_DILATIONS, CONVOLUTION_FILTER_STRIDES, CONVOLUTION_POST_PADDINGS, CONVOLUTION_PRE_PADDINGS}) {
        auto values = state.values<int64_t>(name);
        if (int64_t(values.size()) != spatial) {
            return failed(BAD_PARAM, "convolution: %ld spatial dimensions, %zu values of attribute %d", long(spatial), values.size(), name);
        }
        for (int64_t value : values) {
            if (value < (name == CONVOLUTION_DILATIONS || name == CONVOLUTION_FILTER_STRIDES ? 1 : 0)) {
                return failed(BAD_PARAM, "convolution: attribute %d holds %ld", name, long(value));
            }
        }
    }
    return SUCCESS;
}

struct OperationNames {
    int kind, alpha, beta, convolution, x, w, y;
};

constexpr OperationNames OPERATIONS[] = {
        {FORWARD_OP, FORWARD_ALPHA, FORWARD_BETA, FORWARD_CONV_DESC, FORWARD_X, FORWARD_W, FORWARD_Y},
        {BACKWARD_DATA_OP, DATA_ALPHA, DATA_BETA, DATA_CONV_DESC, DATA_DX, DATA_W, DATA_DY},
        {BACKWARD_FILTER_OP, FILTER_ALPHA, FILTER_BETA, FILTER_CONV_DESC, FILTER_X, FILTER_DW, FILTER_DY},
};

const OperationNames *namesOf(int kind) {
    for (const OperationNames &names : OPERATIONS) {
        if (names.kind == kind) {
            return &names;
        }
    }
    return nullptr;
}

Status shapeOf(const State &op, Shape *to) {
    const OperationNames &names = *namesOf(op.kind);
    Tensor x = tensorOf(*op.descriptor(names.x)), w = tensorOf(*op.descriptor(names.w)), y = tensorOf(*op.descriptor(names.y));
    const State &convolution = *op.descriptor(names.convolution);
    int64_t spatial = convolution.value<int64_t>(CONVOLUTION_SPATIAL_DIMS);
    if (x.rank != w.rank || x.rank != y.rank || x.rank != spatial + 2) {
        return failed(BAD_PARAM, "convolution: x, w and y have %d, %d and %d dimensions, of which %ld are spatial", x.rank, w.rank, y.rank, long(spatial));
    }
    if (x.rank != 4) {
        return failed(NOT_SUPPORTED, "convolution: the double of cuDNN convolves in two dimensions");
    }
    if (x.dims[0] != y.dims[0] || w.dims[0] != y.dims[1] || x.dims[1] % w.dims[1] != 0 || w.dims[0] % (x.dims[1] / w.dims[1]) != 0) {
        return failed(SHAPE_MISMATCH, "convolution: x [%ld, %ld], w [%ld, %ld], y [%ld, %ld]", long(x.dims[0]), long(x.dims[1]), long(w.dims[0]),
                long(w.dims[1]), long(y.dims[0]), long(y.dims[1]));
    }
    auto before = convolution.values<int64_t>(CONVOLUTION_PRE_PADDINGS), after = convolution.values<int64_t>(CONVOLUTION_POST_PADDINGS);
    auto stride = convolution.values<int64_t>(CONVOLUTION_FILTER_STRIDES), dilation = convolution.values<int64_t>(CONVOLUTION_DILATIONS);
    for (size_t i = 0; i < 2; i++) {
        int64_t room = x.dims[i + 2] + before[i] + after[i] - ((w.dims[i + 2] - 1) * dilation[i] + 1);
        if (room < 0 || y.dims[i + 2] != 1 + room / stride[i]) {
            return failed(SHAPE_MISMATCH, "convolution: spatial dimension %zu of y is %ld, but the convolution makes %ld", i, long(y.dims[i + 2]),
                    long(room < 0 ? 0 : 1 + room / stride[i]));
        }
    }
    int64_t groups = x.dims[1] / w.dims[1];
    to->kind = op.kind;
    to->x = x;
    to->w = w;
    to->y = y;
    to->compute = convolution.value<int>(CONVOLUTION_COMP_TYPE);
    to->alpha = op.number(names.alpha, 1);
    to->beta = op.number(names.beta, 0);
    to->geometry = {x.dims[0], groups, x.dims[1], x.dims[2], x.dims[3], w.dims[0], w.dims[2], w.dims[3], y.dims[2], y.dims[3], before[0], before[1],
            stride[0], stride[1], dilation[0], dilation[1], convolution.value<int>(CONVOLUTION_CONV_MODE) == CONVOLUTION};
    return SUCCESS;
}

Status finalizePointwise(const State &op) {
    Tensor x = tensorOf(*op.descriptor(POINTWISE_OP_X)), y = tensorOf(*op.descriptor(POINTWISE_OP_Y));
    int mode = op.descriptor(POINTWISE_OP_DESCRIPTOR)->value<int>(POINTWISE_MODE);
    if (mode != POINTWISE_ADD && mode != POINTWISE_RELU_FWD && mode != POINTWISE_IDENTITY) {
        return failed(NOT_SUPPORTED, "pointwise: the double of cuDNN adds and rectifies, it does not do mode %d", mode);
    }
    if (!x.sameDims(y)) {
        return failed(SHAPE_MISMATCH, "pointwise: x and y differ in shape");
    }
    if ((mode == POINTWISE_ADD) != op.has(POINTWISE_OP_B)) {
        return failed(BAD_PARAM, "pointwise: mode %d with or without a second operand", mode);
    }
    if (mode == POINTWISE_ADD) {
        Tensor b = tensorOf(*op.descriptor(POINTWISE_OP_B));
        for (int i = 0; i < y.rank; i++) {
            if (b.rank != y.rank || (b.dims[i] != 1 && b.dims[i] != y.dims[i])) {
                return failed(SHAPE_MISMATCH, "pointwise: the second operand is neither of y's size nor of size 1 in some dimension");
            }
        }
    }
    return SUCCESS;
}

// ---- Engines ----

/** The chain of a graph: a convolution and what follows, or a status. */
Status chainOf(const State &graph, std::vector<Reference> *chain) {
    *chain = graph.attributes.at(GRAPH_OPS).descriptors;
    const Reference &first = (*chain)[0];
    const OperationNames *names = namesOf(first->kind);
    if (names == nullptr) {
        return failed(NOT_SUPPORTED_GRAPH_PATTERN, "operation graph: it begins with no convolution");
    }
    if (chain->size() == 1) {
        return SUCCESS;
    }
    if (first->kind != FORWARD_OP || chain->size() > 4) {
        return failed(NOT_SUPPORTED_GRAPH_PATTERN, "operation graph: %zu operations", chain->size());
    }
    Reference last = first->descriptor(names->y);
    for (size_t i = 1; i < chain->size(); i++) {
        const Reference &op = (*chain)[i];
        if (op->kind != POINTWISE_OP) {
            return failed(NOT_SUPPORTED_GRAPH_PATTERN, "operation graph: operation %zu is not elementwise", i);
        }
        if (idOf(*op->descriptor(POINTWISE_OP_X)) != idOf(*last)) {
            return failed(NOT_SUPPORTED_GRAPH_PATTERN, "operation graph: operation %zu does not read what operation %zu wrote", i, i - 1);
        }
        if (!isVirtual(*last)) {
            return failed(NOT_SUPPORTED_GRAPH_PATTERN, "operation graph: the result %ld between operations is not virtual", long(idOf(*last)));
        }
        last = op->descriptor(POINTWISE_OP_Y);
    }
    return isVirtual(*last) ? failed(NOT_SUPPORTED_GRAPH_PATTERN, "operation graph: the result is virtual") : SUCCESS;
}

constexpr int ENGINES = 5;

/** One engine of a graph: which products it can do, how much workspace, what it notes. */
struct EngineFacts {
    Status status;
    int64_t workspace;
    bool tensorCores, ordered;
};

EngineFacts engineFacts(const State &graph, int64_t index) {
    std::vector<Reference> chain;
    Shape s;
    if (Status status = chainOf(graph, &chain)) {
        return {status, 0, false, true};
    }
    if (Status status = shapeOf(*chain[0], &s)) {
        return {status, 0, false, true};
    }
    bool fused = chain.size() > 1, nhwc = s.x.channelsLast() && s.w.channelsLast() && s.y.channelsLast();
    // What is read is of one type. What is written may be F32 where the kernel is compiled for it.
    int written = s.kind == FORWARD_OP ? s.y.type : s.kind == BACKWARD_DATA_OP ? s.x.type : s.w.type;
    int read = s.kind == BACKWARD_DATA_OP ? s.y.type : s.x.type, other = s.kind == BACKWARD_FILTER_OP ? s.y.type : s.w.type;
    bool single = read == FLOAT, reduced = read == HALF || read == BFLOAT16;
    bool types = (single || reduced) && other == read && s.compute == FLOAT && (fused || written == read || written == FLOAT);
    bool mixed = !fused && written != read;
    const Geometry &g = s.geometry;
    int64_t multiple = single ? 4 : 8;
    bool even = g.channels % multiple == 0 && g.filters % multiple == 0 && g.groups == 1;
    bool plain = s.alpha == 1 && s.beta == 0;
    int64_t filterBytes = s.w.elements() * 4;
    EngineFacts no{NOT_SUPPORTED, 0, false, true};
    if (mixed && index != 0) {
        return no;
    }
    if (!types) {
        return {failed(NOT_SUPPORTED_DATA_TYPE, "convolution: data types of x, w and y: %d, %d, %d, computed in %d", s.x.type, s.w.type, s.y.type, s.compute), 0,
                false, true};
    }
    switch (index) {
        case 0:  // tensor cores, compiled at run time: whole vectors only
            return nhwc && even && plain ? EngineFacts{SUCCESS, 0, true, true} : no;
        case 1:  // tensor cores, the sum split over blocks that add in any order
            return nhwc && plain && !fused && s.kind != FORWARD_OP ? EngineFacts{SUCCESS, 0, true, false} : no;
        case 2:  // multiply-add units, any layout
            return !fused || !reduced ? EngineFacts{SUCCESS, s.kind == FORWARD_OP ? 0 : filterBytes, false, true} : no;
        case 3:  // tensor cores, operands padded to whole vectors in the workspace
            return nhwc && !fused ? EngineFacts{SUCCESS, 4096 + (s.x.elements() + s.y.elements()) * 2 + filterBytes, true, true} : no;
        case 4:  // multiply-add units and atomic sums
            return !fused && s.kind != FORWARD_OP ? EngineFacts{SUCCESS, 0, false, false} : no;
        default:
            return no;
    }
}

/** As the library notes them: TF32 is TENSOR_CORE and no more. */
std::vector<int> notesOf(const State &graph, int64_t index) {
    std::vector<Reference> chain;
    bool single = chainOf(graph, &chain) != SUCCESS || tensorOf(*chain[0]->descriptor(namesOf(chain[0]->kind)->y)).type == FLOAT;
    switch (index) {
        case 0:
        case 3:
            return {NOTE_TENSOR_CORE};
        case 1:
            return {NOTE_TENSOR_CORE, NOTE_NONDETERMINISTIC};
        case 4:
            return single ? std::vector<int>{NOTE_NONDETERMINISTIC} : std::vector<int>{NOTE_REDUCED_PRECISION_REDUCTION, NOTE_NONDETERMINISTIC};
        default:
            return {};
    }
}

Reference engineOf(const Reference &graph, int64_t index) {
    Reference engine = std::make_shared<State>();
    engine->kind = ENGINE;
    engine->owned = false;
    engine->finalized = true;
    engine->put(ENGINE_OPERATION_GRAPH, {graph});
    engine->put<int64_t>(ENGINE_GLOBAL_INDEX, TYPE_INT64, {index});
    return engine;
}

/** Derived attributes of a descriptor whose own are complete; what cannot be is refused. */
Status finish(const Reference &state, const char *call) {
    switch (state->kind) {
        case TENSOR_KIND:
            return finalizeTensor(*state);
        case CONVOLUTION_KIND:
            return finalizeConvolution(*state);
        case POINTWISE_OP:
            return finalizePointwise(*state);
        case FORWARD_OP:
        case BACKWARD_DATA_OP:
        case BACKWARD_FILTER_OP: {
            Shape shape;
            return shapeOf(*state, &shape);
        }
        case GRAPH: {
            std::map<int64_t, const State *> tensors;
            for (const Reference &op : state->attributes.at(GRAPH_OPS).descriptors) {
                for (const auto &[name, attribute] : op->attributes) {
                    for (const Reference &tensor : attribute.descriptors) {
                        if (tensor->kind == TENSOR_KIND && !tensors.insert({idOf(*tensor), tensor.get()}).second
                                && !tensorOf(*tensors[idOf(*tensor)]).sameLayout(tensorOf(*tensor))) {
                            return failed(DUPLICATED_ENTRIES, "operation graph: two tensors share the id %ld", long(idOf(*tensor)));
                        }
                    }
                }
            }
            state->put<int64_t>(GRAPH_ENGINE_GLOBAL_COUNT, TYPE_INT64, {ENGINES});
            return cudnn::known<Handle>(HANDLE, state->value<void *>(GRAPH_HANDLE), call) == nullptr ? BAD_PARAM : SUCCESS;
        }
        case HEURISTICS: {
            // Like the library's, the list may name engines that turn out not to support the graph.
            Reference graph = state->descriptor(ENGINEHEUR_OPERATION_GRAPH);
            int mode = state->value<int>(ENGINEHEUR_MODE);
            std::vector<int64_t> order = mode == 1 ? std::vector<int64_t>{3, 0, 2} : mode == 2 ? std::vector<int64_t>{2, 4} : std::vector<int64_t>{0, 1, 3, 2};
            std::vector<Reference> results;
            std::vector<EngineFacts> facts;
            bool any = false;
            for (int64_t index : order) {
                facts.push_back(engineFacts(*graph, index));
                any = any || facts.back().status == SUCCESS;
            }
            // A graph that no engine does has no results; that is no error.
            for (size_t i = 0; any && i < order.size(); i++) {
                if (facts[i].status != SUCCESS && order[i] != 0) {
                    continue;
                }
                Reference config = std::make_shared<State>();
                config->kind = ENGINE_CONFIG;
                config->owned = false;
                config->finalized = true;
                config->put(ENGINECFG_ENGINE, {engineOf(graph, order[i])});
                config->put<int64_t>(ENGINECFG_WORKSPACE_SIZE, TYPE_INT64, {facts[i].workspace});
                results.push_back(config);
            }
            state->put(ENGINEHEUR_RESULTS, results);
            return SUCCESS;
        }
        case ENGINE: {
            int64_t index = state->value<int64_t>(ENGINE_GLOBAL_INDEX);
            if (index < 0 || index >= ENGINES) {
                return failed(BAD_PARAM, "engine: global index %ld of %d", long(index), ENGINES);
            }
            return engineFacts(*state->descriptor(ENGINE_OPERATION_GRAPH), index).status;
        }
        case ENGINE_CONFIG: {
            Reference engine = state->descriptor(ENGINECFG_ENGINE);
            EngineFacts facts = engineFacts(*engine->descriptor(ENGINE_OPERATION_GRAPH), engine->value<int64_t>(ENGINE_GLOBAL_INDEX));
            state->put<int64_t>(ENGINECFG_WORKSPACE_SIZE, TYPE_INT64, {facts.workspace});
            return facts.status;
        }
        case PLAN: {
            Handle *handle = cudnn::known<Handle>(HANDLE, state->value<void *>(PLAN_HANDLE), call);
            Reference engine = state->descriptor(PLAN_ENGINE_CONFIG)->descriptor(ENGINECFG_ENGINE);
            Reference graph = engine->descriptor(ENGINE_OPERATION_GRAPH);
            if (handle == nullptr) {
                return BAD_PARAM;
            }
            EngineFacts facts = engineFacts(*graph, engine->value<int64_t>(ENGINE_GLOBAL_INDEX));
            state->put<int64_t>(PLAN_WORKSPACE_SIZE, TYPE_INT64, {facts.workspace});
            return facts.status == SUCCESS
                    ? SUCCESS
                    : failed(NOT_SUPPORTED, "plan: engine %ld does not support the graph", long(engine->value<int64_t>(ENGINE_GLOBAL_INDEX)));
        }
        case VARIANT_PACK: {
            auto ids = state->values<int64_t>(VARIANT_PACK_UNIQUE_IDS);
            if (ids.size() != state->values<void *>(VARIANT_PACK_DATA_POINTERS).size()) {
                return failed(BAD_PARAM, "variant pack: %zu ids, %zu pointers", ids.size(), state->values<void *>(VARIANT_PACK_DATA_POINTERS).size());
            }
            std::sort(ids.begin(), ids.end());
            if (std::adjacent_find(ids.begin(), ids.end()) != ids.end()) {
                return failed(DUPLICATED_ENTRIES, "variant pack: an id twice");
            }
            return SUCCESS;
        }
        default:
            return SUCCESS;
    }
}

// ---- Execution ----

struct Step {
    int mode;
    float alpha1, alpha2;
    float lower, upper, slope;
    Tensor b;
    const void *data;
};

struct Execution {
    Shape shape;
    FilterImage filter;
    const void *x, *w, *y;
    Tensor result;
    const void *resultData;
    std::vector<Step> steps;
    Rounding rounding;
    bool ordered;
};

FilterImage imageOf(const Tensor &w) {
    FilterImage image;
    formatOf(w.type, &image.format);
    image.count = w.dims[0];
    image.channels = w.dims[1];
    image.rows = w.dims[2];
    image.columns = w.dims[3];
    image.strideK = w.strides[0];
    image.strideC = w.strides[1];
    image.strideR = w.strides[2];
    image.strideS = w.strides[3];
    return image;
}

void apply(const Step &step, const Tensor &shape, int64_t n, std::vector<float> &values) {
    std::vector<float> other;
    int64_t channels = shape.dims[1];
    if (step.mode == POINTWISE_ADD) {
        Format format;
        formatOf(step.b.type, &format);
        other.resize(values.size());
        for (size_t i = 0; i < values.size(); i++) {
            int64_t pixel = int64_t(i) / channels, at[] = {n, int64_t(i) % channels, pixel / shape.dims[3], pixel % shape.dims[3]}, offset = 0;
            for (int d = 0; d < 4; d++) {
                offset += step.b.dims[d] == 1 ? 0 : at[d] * step.b.strides[d];
            }
            other[i] = arithmetic::load(step.data, format, offset);
        }
    }
    for (size_t i = 0; i < values.size(); i++) {
        if (step.mode == POINTWISE_ADD) {
            values[i] = step.alpha1 * values[i] + step.alpha2 * other[i];
        } else if (step.mode == POINTWISE_RELU_FWD) {
            float value = step.alpha1 * values[i];
            values[i] = value < step.lower ? step.lower + step.slope * (value - step.lower) : value > step.upper ? step.upper : value;
        }
    }
}

std::atomic<int64_t> unordered{0};

void execute(const Execution &e) {
    const Shape &s = e.shape;
    const Geometry &g = s.geometry;
    int64_t turn = e.ordered ? 0 : unordered++;
    Image x(s.x), y(s.y);
    std::vector<float> images, results, filters;
    if (s.kind == BACKWARD_FILTER_OP) {
        filters.assign(size_t(s.w.elements()), 0.0f);
    } else {
        e.filter.load(filters, e.w);
        arithmetic::round(filters.data(), int64_t(filters.size()), e.rounding);
    }
    for (int64_t i = 0; i < g.batch; i++) {
        int64_t n = (i + turn) % g.batch;
        if (s.kind != BACKWARD_DATA_OP) {
            x.load(images, e.x, n);
            arithmetic::round(images.data(), int64_t(images.size()), e.rounding);
        }
        if (s.kind == FORWARD_OP) {
            results.resize(size_t(g.outHeight * g.outWidth * g.filters));
            forward(g, images.data(), filters.data(), results.data());
            for (float &value : results) {
                value *= e.steps.empty() ? 1 : s.alpha;
            }
            for (const Step &step : e.steps) {
                apply(step, s.y, n, results);
            }
            Image(e.result).blend(const_cast<void *>(e.resultData), n, results.data(), e.steps.empty() ? s.alpha : 1, e.steps.empty() ? s.beta : 0);
            continue;
        }
        y.load(results, e.y, n);
        arithmetic::round(results.data(), int64_t(results.size()), e.rounding);
        if (s.kind == BACKWARD_FILTER_OP) {
            backwardFilter(g, images.data(), results.data(), filters.data());
        } else {
            images.resize(size_t(g.height * g.width * g.channels));
            backwardData(g, filters.data(), results.data(), images.data());
            x.blend(const_cast<void *>(e.x), n, images.data(), s.alpha, s.beta);
        }
    }
    if (s.kind == BACKWARD_FILTER_OP) {
        e.filter.blend(const_cast<void *>(e.w), filters.data(), s.alpha, s.beta);
    }
}

}  // namespace

}  // namespace cudnn

using namespace cudnn;

SIM_ENTRY_POINTS

extern "C" {

int cudnnBackendCreateDescriptor(int kind, void **descriptor) {
    SIM_ENTER("cudnnBackendCreateDescriptor")
    if (descriptor == nullptr || kind < 0 || kind >= KINDS) {
        return failed(BAD_PARAM, "%s: kind=%d, or a null pointer", call.name, kind);
    }
    bool used = false;
    for (const Rule &rule : RULES) {
        used = used || rule.kind == kind;
    }
    if (!used && kind != KNOB_INFO) {
        return failed(NOT_SUPPORTED, "%s: the double of cuDNN does not know descriptors of kind %d", call.name, kind);
    }
    Descriptor *made = new Descriptor{std::make_shared<State>()};
    made->state->kind = kind;
    sim_handle_created(BACKEND, made);
    *descriptor = made;
    return SUCCESS;
}

int cudnnBackendDestroyDescriptor(void *descriptor) {
    SIM_ENTER("cudnnBackendDestroyDescriptor")
    if (descriptor == nullptr) {
        return SUCCESS;
    }
    if (!sim_handle_destroyed(BACKEND, descriptor, call.name)) {
        return BAD_PARAM;
    }
    Descriptor *gone = static_cast<Descriptor *>(descriptor);
    delete gone;
    return SUCCESS;
}

int cudnnBackendInitialize(void *descriptor) {
    SIM_ENTER("cudnnBackendInitialize")
    Descriptor *of = held(descriptor, call.name);
    if (of == nullptr) {
        return BAD_PARAM;
    }
    int kind = of->state->kind;
    of->state = std::make_shared<State>();
    of->state->kind = kind;
    return SUCCESS;
}

int cudnnBackendSetAttribute(void *descriptor, int name, int type, int64_t count, const void *elements) {
    SIM_ENTER("cudnnBackendSetAttribute")
    Descriptor *to = held(descriptor, call.name);
    if (to == nullptr) {
        return BAD_PARAM;
    }
    State &state = *to->state;
    if (state.finalized) {
        return failed(BAD_PARAM, "%s: the descriptor was finalized", call.name);
    }
    const Rule *rule = ruleOf(state.kind, name);
    if (rule == nullptr || rule->use == READ_ONLY) {
        return failed(BAD_PARAM, "%s: a descriptor of kind %d has no settable attribute %d", call.name, state.kind, name);
    }
    if (type != rule->type && !(rule->type == TYPE_SCALAR && (type == TYPE_FLOAT || type == TYPE_DOUBLE))) {
        return failed(ATTRIBUTE_TYPE, "%s: attribute %d is not of type %d", call.name, name, type);
    }
    if (elements == nullptr || count < 1 || count > rule->most) {
        // No knob choices at all is a choice.
        if (name == ENGINECFG_KNOB_CHOICES && count == 0) {
            return SUCCESS;
        }
        return failed(BAD_PARAM, "%s: attribute %d with %ld elements at %p", call.name, name, long(count), elements);
    }
    if (!sim_check_host(elements, size_t(count) * sizeOf(type), "arrayOfElements")) {
        return BAD_PARAM;
    }
    Attribute made;
    made.type = type;
    made.count = count;
    if (type == TYPE_DESCRIPTOR) {
        for (int64_t i = 0; i < count; i++) {
            Descriptor *each = held(static_cast<void *const *>(elements)[i], call.name);
            if (each == nullptr) {
                return BAD_PARAM;
            }
            bool fits = rule->of == OPERATION ? namesOf(each->state->kind) != nullptr || each->state->kind == POINTWISE_OP : each->state->kind == rule->of;
            if (!fits) {
                // The library reads it as what it should be, and crashes.
                sim_violation("%s: attribute %d with a descriptor of kind %d", call.name, name, each->state->kind);
                return failed(DESCRIPTOR_TYPE, "%s: attribute %d with a descriptor of kind %d", call.name, name, each->state->kind);
            }
            made.whole = made.whole && each->state->finalized;
            made.descriptors.push_back(each->state->finalized ? each->state : std::make_shared<State>(*each->state));
        }
    } else {
        made.bytes.assign(static_cast<const char *>(elements), static_cast<const char *>(elements) + size_t(count) * sizeOf(type));
    }
    if (type == TYPE_DATA_TYPE) {
        int value;
        std::memcpy(&value, made.bytes.data(), 4);
        if (value < 0 || value >= DATA_TYPES) {
            return failed(BAD_PARAM, "%s: data type %d", call.name, value);
        }
    }
    if (type == TYPE_HANDLE) {
        void *handle;
        std::memcpy(&handle, made.bytes.data(), 8);
        if (cudnn::known<Handle>(HANDLE, handle, call.name) == nullptr) {
            return BAD_PARAM;
        }
    }
    state.attributes[name] = std::move(made);
    return SUCCESS;
}

int cudnnBackendFinalize(void *descriptor) {
    SIM_ENTER("cudnnBackendFinalize")
    Descriptor *of = held(descriptor, call.name);
    if (of == nullptr) {
        return BAD_PARAM;
    }
    State &state = *of->state;
    if (state.finalized) {
        return failed(BAD_PARAM, "%s: the descriptor was finalized before", call.name);
    }
    for (const Rule &rule : RULES) {
        if (rule.kind == state.kind && rule.use == REQUIRED && !state.has(rule.name)) {
            return failed(BAD_PARAM, "%s: attribute %d of a descriptor of kind %d was not set", call.name, rule.name, state.kind);
        }
    }
    for (const auto &[name, attribute] : state.attributes) {
        if (!attribute.whole) {
            return failed(BAD_PARAM, "%s: attribute %d holds a descriptor that was not finalized", call.name, name);
        }
    }
    if (Status status = finish(of->state, call.name)) {
        return status;
    }
    state.finalized = true;
    return SUCCESS;
}

int cudnnBackendGetAttribute(void *descriptor, int name, int type, int64_t requested, int64_t *count, void *elements) {
    SIM_ENTER("cudnnBackendGetAttribute")
    Descriptor *of = held(descriptor, call.name);
    if (of == nullptr) {
        return BAD_PARAM;
    }
    const State &state = *of->state;
    const Rule *rule = ruleOf(state.kind, name);
    if (rule == nullptr) {
        return failed(BAD_PARAM, "%s: a descriptor of kind %d has no attribute %d", call.name, state.kind, name);
    }
    if (!state.finalized) {
        return failed(NOT_INITIALIZED, "%s: the descriptor was not finalized", call.name);
    }
    auto found = state.attributes.find(name);
    bool fits = found == state.attributes.end() ? type == rule->type : type == found->second.type;
    if (!fits && !(rule->type == TYPE_SCALAR)) {
        return failed(ATTRIBUTE_TYPE, "%s: attribute %d is not of type %d", call.name, name, type);
    }
    if (requested < 0 || (requested > 0 && elements == nullptr && count == nullptr)) {
        return failed(BAD_PARAM, "%s: %ld elements, and nowhere to put them", call.name, long(requested));
    }
    Attribute derived;
    const Attribute *from = found == state.attributes.end() ? &derived : &found->second;
    if (state.kind == ENGINE && (name == ENGINE_NUMERICAL_NOTE || name == ENGINE_BEHAVIOR_NOTE)) {
        int64_t index = state.value<int64_t>(ENGINE_GLOBAL_INDEX);
        State holder;
        holder.put<int>(name, type, name == ENGINE_NUMERICAL_NOTE ? notesOf(*state.descriptor(ENGINE_OPERATION_GRAPH), index) : index == 0 ? std::vector<int>{NOTE_RUNTIME_COMPILATION} : std::vector<int>{});
        derived = holder.attributes[name];
        from = &derived;
    }
    if (count != nullptr) {
        *count = from->count;
    }
    if (elements == nullptr) {
        return SUCCESS;
    }
    int64_t given = std::min(requested, from->count);
    if (!sim_check_host(elements, size_t(given) * sizeOf(type), "arrayOfElements")) {
        return BAD_PARAM;
    }
    if (type != TYPE_DESCRIPTOR) {
        std::memcpy(elements, from->bytes.data(), size_t(given) * sizeOf(type));
        return SUCCESS;
    }
    // Descriptors are filled in, not handed out: the caller made them, of the right kind.
    for (int64_t i = 0; i < given; i++) {
        Descriptor *to = held(static_cast<void **>(elements)[i], call.name);
        if (to == nullptr) {
            return BAD_PARAM;
        }
        if (to->state->kind != from->descriptors[size_t(i)]->kind) {
            return failed(DESCRIPTOR_TYPE, "%s: element %ld is a descriptor of kind %d", call.name, long(i), to->state->kind);
        }
        if (to->state->finalized && to->state->owned) {
            return failed(BAD_PARAM, "%s: element %ld was finalized before", call.name, long(i));
        }
        to->state = from->descriptors[size_t(i)];
    }
    return SUCCESS;
}

int cudnnBackendExecute(void *handle, void *planDescriptor, void *packDescriptor) {
    SIM_ENTER("cudnnBackendExecute")
    Handle *on = cudnn::known<Handle>(HANDLE, handle, call.name);
    Descriptor *plan = held(planDescriptor, call.name), *pack = held(packDescriptor, call.name);
    if (on == nullptr || plan == nullptr || pack == nullptr) {
        return BAD_PARAM;
    }
    if (plan->state->kind != PLAN || pack->state->kind != VARIANT_PACK) {
        return failed(DESCRIPTOR_TYPE, "%s: descriptors of kinds %d and %d", call.name, plan->state->kind, pack->state->kind);
    }
    if (!plan->state->finalized || !pack->state->finalized) {
        return failed(NOT_FINALIZED, "%s: plan or variant pack was not finalized", call.name);
    }
    Handle *made = cudnn::known<Handle>(HANDLE, plan->state->value<void *>(PLAN_HANDLE), call.name);
    if (made == nullptr || made->place.context != on->place.context) {
        return failed(BAD_PARAM, "%s: the plan was made for another device", call.name);
    }
    if (!library::ready(call.name, on->place)) {
        return EXECUTION_FAILED;
    }
    Reference engine = plan->state->descriptor(PLAN_ENGINE_CONFIG)->descriptor(ENGINECFG_ENGINE);
    Reference graph = engine->descriptor(ENGINE_OPERATION_GRAPH);
    EngineFacts facts = engineFacts(*graph, engine->value<int64_t>(ENGINE_GLOBAL_INDEX));
    std::vector<Reference> chain;
    Execution e{};
    if (Status status = chainOf(*graph, &chain)) {
        return status;
    }
    if (Status status = shapeOf(*chain[0], &e.shape)) {
        return status;
    }
    auto ids = pack->state->values<int64_t>(VARIANT_PACK_UNIQUE_IDS);
    auto pointers = pack->state->values<void *>(VARIANT_PACK_DATA_POINTERS);
    library::Operands operands(call.name);
    Status problem = SUCCESS;
    auto memory = [&](const Reference &tensor, bool writes, const char *what) -> const void * {
        if (isVirtual(*tensor)) {
            return nullptr;
        }
        auto at = std::find(ids.begin(), ids.end(), idOf(*tensor));
        if (at == ids.end() || pointers[size_t(at - ids.begin())] == nullptr) {
            problem = failed(NULL_POINTER, "%s: no memory for tensor %ld (%s)", call.name, long(idOf(*tensor)), what);
            return nullptr;
        }
        const void *address = pointers[size_t(at - ids.begin())];
        int64_t alignment = tensor->value<int64_t>(TENSOR_BYTE_ALIGNMENT);
        if (reinterpret_cast<uintptr_t>(address) % uintptr_t(alignment) != 0) {
            sim_violation("%s: %s is at %p, but %ld bytes of alignment were promised", call.name, what, address, long(alignment));
            problem = failed(MISALIGNED_POINTER, "%s: tensor %ld is not aligned to %ld bytes", call.name, long(idOf(*tensor)), long(alignment));
        }
        if (writes) {
            operands.out(what, address, bytesOf(tensorOf(*tensor)), 1);
        } else {
            operands.in(what, address, bytesOf(tensorOf(*tensor)), 1);
        }
        return address;
    };
    const OperationNames &names = *namesOf(chain[0]->kind);
    e.x = memory(chain[0]->descriptor(names.x), e.shape.kind == BACKWARD_DATA_OP, e.shape.kind == BACKWARD_DATA_OP ? "dx" : "x");
    e.w = memory(chain[0]->descriptor(names.w), e.shape.kind == BACKWARD_FILTER_OP, e.shape.kind == BACKWARD_FILTER_OP ? "dw" : "w");
    e.y = memory(chain[0]->descriptor(names.y), e.shape.kind == FORWARD_OP, e.shape.kind == FORWARD_OP ? "y" : "dy");
    e.result = e.shape.y;
    e.resultData = e.y;
    for (size_t i = 1; i < chain.size(); i++) {
        const State &pointwise = *chain[i]->descriptor(POINTWISE_OP_DESCRIPTOR);
        Step step{pointwise.value<int>(POINTWISE_MODE), chain[i]->number(POINTWISE_OP_ALPHA1, 1), chain[i]->number(POINTWISE_OP_ALPHA2, 1),
                pointwise.number(POINTWISE_RELU_LOWER_CLIP, 0), pointwise.number(POINTWISE_RELU_UPPER_CLIP, HUGE_VALF),
                pointwise.number(POINTWISE_RELU_LOWER_CLIP_SLOPE, 0), Tensor(), nullptr};
        if (step.mode == POINTWISE_ADD) {
            step.b = tensorOf(*chain[i]->descriptor(POINTWISE_OP_B));
            step.data = memory(chain[i]->descriptor(POINTWISE_OP_B), false, "second operand");
        }
        e.steps.push_back(step);
        e.result = tensorOf(*chain[i]->descriptor(POINTWISE_OP_Y));
        e.resultData = memory(chain[i]->descriptor(POINTWISE_OP_Y), true, "y");
    }
    void *workspace = pack->state->value<void *>(VARIANT_PACK_WORKSPACE);
    if (facts.workspace > 0 && workspace == nullptr) {
        problem = failed(NULL_POINTER, "%s: the plan needs a workspace of %ld bytes", call.name, long(facts.workspace));
    }
    if (problem != SUCCESS) {
        return problem;
    }
    operands.out("workspace", workspace, facts.workspace, library::WORKSPACE_ALIGNMENT);
    if (!operands.valid()) {
        return EXECUTION_FAILED;
    }
    e.filter = imageOf(e.shape.w);
    e.rounding = facts.tensorCores && e.shape.x.type == FLOAT ? Rounding::TF32 : Rounding::NONE;
    e.ordered = facts.ordered;
    if (call.fault == SIM_HALF) {
        e.shape.geometry.batch /= 2;
    } else if (call.fault == SIM_SWAP_ARGS) {
        std::swap(e.shape.kind == BACKWARD_FILTER_OP ? e.x : e.w, e.shape.kind == FORWARD_OP ? e.x : e.y);
    }
    int64_t work = facts.workspace;
    bool queued = library::enqueue(call, on->place, operands, [e, workspace, work] {
        library::spoil(workspace, size_t(work));
        execute(e);
    });
    return queued ? SUCCESS : EXECUTION_FAILED;
}

}  // extern "C"
