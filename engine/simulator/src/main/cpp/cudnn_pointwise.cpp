// Elementwise calls, reductions, softmax and dropout of the double of cuDNN.
#include "cudnn_double.h"

#include <limits>

namespace cudnn {

namespace {

struct OpTensorDescriptor {
    bool set = false;
    int op = OP_ADD;
    int type = FLOAT;
    int nan = NOT_PROPAGATE_NAN;
};

struct ReduceDescriptor {
    bool set = false;
    int op = REDUCE_ADD;
    int type = FLOAT;
    int nan = NOT_PROPAGATE_NAN;
    int indices = 0;
    int indicesType = 0;
};

struct Dropout {
    float rate = 0;
    void *states = nullptr;
    size_t stateBytes = 0;
    unsigned long long seed = 0;
    uint64_t drawn = 0;
};

constexpr size_t DROPOUT_STATES = 1 << 16;

/** Calls body(offset in a, offset in b, offset in c) for every element of `over`; of a and b, dimensions of one element repeat. */
template <class Body>
void each(const Tensor &over, const Tensor &a, const Tensor &b, const Tensor &c, Body body) {
    std::array<int64_t, MAX_DIMENSIONS> at{};
    int64_t offsets[3] = {0, 0, 0};
    const Tensor *tensors[3] = {&a, &b, &c};
    int64_t steps[3][MAX_DIMENSIONS];
    for (int t = 0; t < 3; t++) {
        for (int i = 0; i < over.rank; i++) {
            steps[t][i] = tensors[t]->dims[i] == 1 && over.dims[i] != 1 ? 0 : tensors[t]->strides[i];
        }
    }
    for (int64_t count = over.elements(); count > 0; count--) {
        body(offsets[0], offsets[1], offsets[2]);
        for (int i = over.rank - 1; i >= 0; i--) {
            for (int t = 0; t < 3; t++) {
                offsets[t] += steps[t][i];
            }
            if (++at[i] < over.dims[i]) {
                break;
            }
            for (int t = 0; t < 3; t++) {
                offsets[t] -= at[i] * steps[t][i];
            }
            at[i] = 0;
        }
    }
}

void put(void *base, Format format, int64_t offset, float value, float beta) {
    arithmetic::store(base, format, offset, beta == 0 ? value : value + beta * arithmetic::load(base, format, offset));
}

bool floating(const Tensor &tensor) {
    Format format;
    return formatOf(tensor.type, &format);
}

Format formatOf(const Tensor &tensor) {
    Format format = Format::F32;
    cudnn::formatOf(tensor.type, &format);
    return format;
}

/** Of one size, or of one element in the dimensions that repeat. */
bool repeats(const Tensor &small, const Tensor &large) {
    if (small.rank != large.rank) {
        return false;
    }
    for (int i = 0; i < small.rank; i++) {
        if (small.dims[i] != 1 && small.dims[i] != large.dims[i]) {
            return false;
        }
    }
    return true;
}

float clipNan(float value, int nan, float otherwise) {
    return std::isnan(value) && nan == NOT_PROPAGATE_NAN ? otherwise : value;
}

double combine(int op, double sum, double value, int nan) {
    switch (op) {
        case REDUCE_MUL:
            return sum * value;
        case REDUCE_MUL_NO_ZEROS:
            return value == 0 ? sum : sum * value;
        case REDUCE_MIN:
            return std::isnan(value) ? (nan == PROPAGATE_NAN ? value : sum) : std::isnan(sum) ? sum : std::min(sum, value);
        case REDUCE_MAX:
            return std::isnan(value) ? (nan == PROPAGATE_NAN ? value : sum) : std::isnan(sum) ? sum : std::max(sum, value);
        case REDUCE_AMAX:
            return std::isnan(value) ? (nan == PROPAGATE_NAN ? value : sum) : std::isnan(sum) ? sum : std::max(sum, std::fabs(value));
        case REDUCE_NORM1:
            return sum + std::fabs(value);
        case REDUCE_NORM2:
            return sum + value * value;
        default:
            return sum + value;
    }
}

double neutral(int op) {
    switch (op) {
        case REDUCE_MUL:
        case REDUCE_MUL_NO_ZEROS:
            return 1;
        case REDUCE_MIN:
            return std::numeric_limits<double>::infinity();
        case REDUCE_MAX:
            return -std::numeric_limits<double>::infinity();
        default:
            return 0;
    }
}

int64_t reductionWorkspace(const Tensor &a, const Tensor &c) {
    return a.sameDims(c) ? 0 : c.elements() * 8 + 256;
}

/** Whether element number `index` is kept: a mixing function of seed, call and index. */
bool kept(uint64_t seed, uint64_t call, uint64_t index, float rate) {
    uint64_t z = seed + call * 0x9e3779b97f4a7c15ull + index * 0xd1342543de82ef95ull;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return float((z ^ (z >> 31)) >> 40) / float(1 << 24) >= rate;
}

/** Common to the calls of one input and one output. */
int unary(const SimCall &call, void *handle, const Tensor *x, const void *xData, const Tensor *y, const void *yData, const void *alpha,
        const void *beta, library::Operands &operands) {
    Handle *on = known<Handle>(HANDLE, handle, call.name);
    if (on == nullptr || x == nullptr || y == nullptr || xData == nullptr || yData == nullptr || alpha == nullptr || beta == nullptr) {
        return failed(BAD_PARAM, "%s: a null pointer, or a descriptor that was never set", call.name);
    }
    if (!library::ready(call.name, on->place)) {
        return EXECUTION_FAILED;
    }
    if (!floating(*x) || !floating(*y)) {
        return failed(NOT_SUPPORTED, "%s: data types %d, %d", call.name, x->type, y->type);
    }
    operands.in("x", xData, bytesOf(*x), bytesOf(x->type));
    operands.out("y", yData, bytesOf(*y), bytesOf(y->type));
    bool scalars = operands.host("alpha", alpha, 4) && operands.host("beta", beta, 4);
    return operands.valid() && scalars ? SUCCESS : EXECUTION_FAILED;
}

int queued(const SimCall &call, void *handle, const library::Operands &operands, std::function<void()> work) {
    return library::enqueue(call, static_cast<Handle *>(handle)->place, operands, std::move(work)) ? SUCCESS : EXECUTION_FAILED;
}

/** Groups of elements over which a softmax goes: first offsets, and the step and number inside. */
template <class Body>
void softmaxRows(const Tensor &shape, int mode, Body body) {
    // Offsets of one row per tensor are built once; rows of INSTANCE mode span C, H and W.
    int64_t spatial = 1;
    for (int i = 2; i < shape.rank; i++) {
        spatial *= shape.dims[i];
    }
    auto offset = [](const Tensor &t, int64_t n, int64_t c, int64_t pixel) {
        int64_t at = n * t.strides[0] + c * t.strides[1];
        for (int i = t.rank - 1; i >= 2; i--) {
            at += pixel % t.dims[i] * t.strides[i];
            pixel /= t.dims[i];
        }
        return at;
    };
    for (int64_t n = 0; n < shape.dims[0]; n++) {
        if (mode == SOFTMAX_CHANNEL) {
            for (int64_t pixel = 0; pixel < spatial; pixel++) {
                body(shape.dims[1], [=](const Tensor &t, int64_t i) { return offset(t, n, i, pixel); });
            }
        } else {
            body(shape.dims[1] * spatial, [=](const Tensor &t, int64_t i) { return offset(t, n, i / spatial, i % spatial); });
        }
    }
}

}  // namespace

float activate(const Activation &activation, float x) {
    float limit = float(activation.coefficient);
    switch (activation.mode) {
        case SIGMOID:
            return 1 / (1 + std::exp(-x));
        case RELU:
            return x > 0 ? x : std::isnan(x) ? clipNan(x, activation.nan, 0) : 0;
        case TANH:
            return std::tanh(x);
        case CLIPPED_RELU:
            return std::isnan(x) ? clipNan(x, activation.nan, 0) : std::min(std::max(x, 0.0f), limit);
        case ELU:
            return x > 0 ? x : limit * std::expm1(x);
        case SWISH:
            return x / (1 + std::exp(-float(activation.swishBeta) * x));
        default:
            return x;
    }
}

float derivative(const Activation &activation, float x, float y) {
    float limit = float(activation.coefficient), beta = float(activation.swishBeta);
    switch (activation.mode) {
        case SIGMOID:
            return y * (1 - y);
        case RELU:
            return x > 0 ? 1 : 0;
        case TANH:
            return 1 - y * y;
        case CLIPPED_RELU:
            return x > 0 && x < limit ? 1 : 0;
        case ELU:
            return x > 0 ? 1 : y + limit;
        case SWISH: {
            float s = 1 / (1 + std::exp(-beta * x));
            return s + beta * x * s * (1 - s);
        }
        default:
            return 1;
    }
}

}  // namespace cudnn

using namespace cudnn;

SIM_ENTRY_POINTS

extern "C" {

int cudnnActivationForward(
        void *handle, void *descriptor, const void *alpha, void *xDesc, const void *x, const void *beta, void *yDesc, void *y) {
    SIM_ENTER("cudnnActivationForward")
    const Activation *activation = filled<Activation>(ACTIVATION, descriptor, call.name);
    const Tensor *from = filled<Tensor>(TENSOR, xDesc, call.name), *to = filled<Tensor>(TENSOR, yDesc, call.name);
    library::Operands operands(call.name);
    if (from != nullptr && to != nullptr && from->sameLayout(*to)) {
        operands.inPlace(x);
    }
    if (activation == nullptr) {
        return failed(BAD_PARAM, "%s: an activation descriptor that was never set", call.name);
    }
    if (from != nullptr && to != nullptr && (!from->sameDims(*to) || from->type != to->type)) {
        return failed(BAD_PARAM, "%s: x and y differ in shape or data type", call.name);
    }
    if (activation->mode == IDENTITY) {
        return failed(NOT_SUPPORTED, "%s: IDENTITY", call.name);
    }
    if (int status = unary(call, handle, from, x, to, y, alpha, beta, operands)) {
        return status;
    }
    Tensor in = *from, out = *to;
    Activation act = *activation;
    float scale = scalar(alpha, in.type), keep = scalar(beta, in.type);
    return queued(call, handle, operands, [=] {
        Format format = formatOf(in);
        each(in, in, in, out, [&](int64_t i, int64_t, int64_t o) {
            put(y, format, o, scale * activate(act, arithmetic::load(x, format, i)), keep);
        });
    });
}

int cudnnActivationBackward(void *handle, void *descriptor, const void *alpha, void *yDesc, const void *y, void *dyDesc, const void *dy,
        void *xDesc, const void *x, const void *beta, void *dxDesc, void *dx) {
    SIM_ENTER("cudnnActivationBackward")
    const Activation *activation = filled<Activation>(ACTIVATION, descriptor, call.name);
    const Tensor *ys = filled<Tensor>(TENSOR, yDesc, call.name), *dys = filled<Tensor>(TENSOR, dyDesc, call.name);
    const Tensor *xs = filled<Tensor>(TENSOR, xDesc, call.name), *dxs = filled<Tensor>(TENSOR, dxDesc, call.name);
    if (activation == nullptr || ys == nullptr || dys == nullptr || xs == nullptr || dxs == nullptr || y == nullptr || x == nullptr) {
        return failed(BAD_PARAM, "%s: a null pointer, or a descriptor that was never set", call.name);
    }
    if (!ys->sameLayout(*dys) || !xs->sameLayout(*dxs) || !ys->sameDims(*xs) || ys->type != dys->type || ys->type != xs->type
            || ys->type != dxs->type) {
        return failed(BAD_PARAM, "%s: tensors differ in shape, strides or data type", call.name);
    }
    if (activation->mode == IDENTITY) {
        return failed(NOT_SUPPORTED, "%s: IDENTITY", call.name);
    }
    library::Operands operands(call.name);
    operands.in("y", y, bytesOf(*ys), bytesOf(ys->type));
    operands.in("x", x, bytesOf(*xs), bytesOf(xs->type));
    if (dys->sameLayout(*dxs)) {
        operands.inPlace(dy);
    }
    if (int status = unary(call, handle, dys, dy, dxs, dx, alpha, beta, operands)) {
        return status;
    }
    Tensor a = *ys, c = *dxs;
    Activation act = *activation;
    float scale = scalar(alpha, a.type), keep = scalar(beta, a.type);
    return queued(call, handle, operands, [=] {
        Format format = formatOf(a);
        each(a, a, c, c, [&](int64_t i, int64_t, int64_t o) {
            float slope = derivative(act, arithmetic::load(x, format, o), arithmetic::load(y, format, i));
            put(dx, format, o, scale * slope * arithmetic::load(dy, format, i), keep);
        });
    });
}

int cudnnAddTensor(void *handle, const void *alpha, void *aDesc, const void *a, const void *beta, void *cDesc, void *c) {
    SIM_ENTER("cudnnAddTensor")
    const Tensor *from = filled<Tensor>(TENSOR, aDesc, call.name), *to = filled<Tensor>(TENSOR, cDesc, call.name);
    library::Operands operands(call.name);
    if (from != nullptr && to != nullptr) {
        if (!repeats(*from, *to)) {
            return failed(BAD_PARAM, "%s: A is neither of C's size nor of size 1 in some dimension", call.name);
        }
        if (from->type != to->type || from->rank > 5) {
            return failed(NOT_SUPPORTED, "%s: data types %d, %d; %d dimensions", call.name, from->type, to->type, from->rank);
        }
        if (from->sameLayout(*to)) {
            operands.inPlace(a);
        }
    }
    if (int status = unary(call, handle, from, a, to, c, alpha, beta, operands)) {
        return status;
    }
    Tensor in = *from, out = *to;
    float scale = scalar(alpha, in.type), keep = scalar(beta, in.type);
    return queued(call, handle, operands, [=] {
        Format format = formatOf(in);
        each(out, in, in, out, [&](int64_t i, int64_t, int64_t o) { put(c, format, o, scale * arithmetic::load(a, format, i), keep); });
    });
}

int cudnnTransformTensor(void *handle, const void *alpha, void *xDesc, const void *x, const void *beta, void *yDesc, void *y) {
    SIM_ENTER("cudnnTransformTensor")
    const Tensor *from = filled<Tensor>(TENSOR, xDesc, call.name), *to = filled<Tensor>(TENSOR, yDesc, call.name);
    library::Operands operands(call.name);
    if (from != nullptr && to != nullptr && !from->sameDims(*to)) {
        return failed(BAD_PARAM, "%s: x and y differ in shape", call.name);
    }
    if (int status = unary(call, handle, from, x, to, y, alpha, beta, operands)) {
        return status;
    }
    if (from->type != to->type) {
        return failed(NOT_SUPPORTED, "%s: data types %d, %d", call.name, from->type, to->type);
    }
    Tensor in = *from, out = *to;
    float scale = scalar(alpha, in.type), keep = scalar(beta, in.type);
    return queued(call, handle, operands, [=] {
        Format format = formatOf(in);
        each(out, in, in, out, [&](int64_t i, int64_t, int64_t o) { put(y, format, o, scale * arithmetic::load(x, format, i), keep); });
    });
}

int cudnnSetTensor(void *handle, void *yDesc, void *y, const void *value) {
    SIM_ENTER("cudnnSetTensor")
    Handle *on = known<Handle>(HANDLE, handle, call.name);
    const Tensor *to = filled<Tensor>(TENSOR, yDesc, call.name);
    if (on == nullptr || to == nullptr || y == nullptr || value == nullptr) {
        return failed(BAD_PARAM, "%s: a null pointer, or a descriptor that was never set", call.name);
    }
    if (!library::ready(call.name, on->place)) {
        return EXECUTION_FAILED;
    }
    library::Operands operands(call.name);
    int64_t width = bytesOf(to->type);
    operands.out("y", y, bytesOf(*to), width);
    if (!operands.host("value", value, size_t(width)) || !operands.valid()) {
        return EXECUTION_FAILED;
    }
    std::vector<char> element(static_cast<const char *>(value), static_cast<const char *>(value) + width);
    Tensor out = *to;
    return queued(call, handle, operands, [=] {
        each(out, out, out, out, [&](int64_t, int64_t, int64_t o) {
            std::memcpy(static_cast<char *>(y) + o * width, element.data(), size_t(width));
        });
    });
}

int cudnnScaleTensor(void *handle, void *yDesc, void *y, const void *alpha) {
    SIM_ENTER("cudnnScaleTensor")
    const Tensor *to = filled<Tensor>(TENSOR, yDesc, call.name);
    library::Operands operands(call.name);
    operands.inPlace(y);
    if (int status = unary(call, handle, to, y, to, y, alpha, alpha, operands)) {
        return status;
    }
    Tensor out = *to;
    float scale = scalar(alpha, out.type);
    return queued(call, handle, operands, [=] {
        Format format = formatOf(out);
        each(out, out, out, out, [&](int64_t, int64_t, int64_t o) {
            arithmetic::store(y, format, o, scale * arithmetic::load(y, format, o));
        });
    });
}

int cudnnCreateOpTensorDescriptor(void **descriptor) {
    SIM_ENTER("cudnnCreateOpTensorDescriptor")
    if (descriptor == nullptr) {
        return failed(BAD_PARAM, "%s: a null pointer for the result", call.name);
    }
    OpTensorDescriptor *made = new OpTensorDescriptor;
    sim_handle_created(OP_TENSOR, made);
    *descriptor = made;
    return SUCCESS;
}

int cudnnDestroyOpTensorDescriptor(void *descriptor) {
    SIM_ENTER("cudnnDestroyOpTensorDescriptor")
    if (!sim_handle_destroyed(OP_TENSOR, descriptor, call.name)) {
        return BAD_PARAM;
    }
    delete static_cast<OpTensorDescriptor *>(descriptor);
    return SUCCESS;
}

int cudnnSetOpTensorDescriptor(void *descriptor, int op, int type, int nan) {
    SIM_ENTER("cudnnSetOpTensorDescriptor")
    OpTensorDescriptor *to = known<OpTensorDescriptor>(OP_TENSOR, descriptor, call.name);
    if (to == nullptr || op < OP_ADD || op > OP_NOT || (type != FLOAT && type != DOUBLE) || nan < 0 || nan > 1) {
        return failed(BAD_PARAM, "%s: op=%d, compute type=%d, NaN option=%d", call.name, op, type, nan);
    }
    *to = {true, op, type, nan};
    return SUCCESS;
}

int cudnnGetOpTensorDescriptor(void *descriptor, int *op, int *type, int *nan) {
    SIM_ENTER("cudnnGetOpTensorDescriptor")
    const OpTensorDescriptor *from = filled<OpTensorDescriptor>(OP_TENSOR, descriptor, call.name);
    if (from == nullptr || op == nullptr || type == nullptr || nan == nullptr) {
        return failed(BAD_PARAM, "%s: no filled descriptor, or a null pointer", call.name);
    }
    *op = from->op;
    *type = from->type;
    *nan = from->nan;
    return SUCCESS;
}

int cudnnOpTensor(void *handle, void *descriptor, const void *alpha1, void *aDesc, const void *a, const void *alpha2, void *bDesc, const void *b,
        const void *beta, void *cDesc, void *c) {
    SIM_ENTER("cudnnOpTensor")
    const OpTensorDescriptor *op = filled<OpTensorDescriptor>(OP_TENSOR, descriptor, call.name);
    const Tensor *as = filled<Tensor>(TENSOR, aDesc, call.name), *cs = filled<Tensor>(TENSOR, cDesc, call.name);
    if (op == nullptr || as == nullptr || cs == nullptr) {
        return failed(BAD_PARAM, "%s: a descriptor that was never set", call.name);
    }
    bool binary = op->op < OP_SQRT;
    const Tensor *bs = binary ? filled<Tensor>(TENSOR, bDesc, call.name) : as;
    if (bs == nullptr || (binary && (b == nullptr || alpha2 == nullptr))) {
        return failed(BAD_PARAM, "%s: B is missing", call.name);
    }
    if (!as->sameDims(*cs) || !repeats(*bs, *cs)) {
        return failed(BAD_PARAM, "%s: A must have the size of C, B that or 1 in each dimension", call.name);
    }
    if (as->type != bs->type || as->type != cs->type || as->rank > 5) {
        return failed(NOT_SUPPORTED, "%s: data types %d, %d, %d; %d dimensions", call.name, as->type, bs->type, cs->type, as->rank);
    }
    library::Operands operands(call.name);
    operands.inPlace(c);
    if (binary) {
        operands.in("B", b, bytesOf(*bs), bytesOf(bs->type));
    }
    if (int status = unary(call, handle, as, a, cs, c, alpha1, beta, operands)) {
        return status;
    }
    Tensor at = *as, bt = *bs, ct = *cs;
    int what = op->op, nan = op->nan;
    float scaleA = scalar(alpha1, at.type), scaleB = binary ? scalar(alpha2, at.type) : 0, keep = scalar(beta, at.type);
    return queued(call, handle, operands, [=] {
        Format format = formatOf(at);
        each(ct, at, bt, ct, [&](int64_t i, int64_t j, int64_t o) {
            float left = scaleA * arithmetic::load(a, format, i), right = binary ? scaleB * arithmetic::load(b, format, j) : 0, value;
            switch (what) {
                case OP_ADD:
                    value = left + right;
                    break;
                case OP_MUL:
                    value = left * right;
                    break;
                case OP_MIN:
                case OP_MAX:
                    if (std::isnan(left) || std::isnan(right)) {
                        value = nan == PROPAGATE_NAN ? left + right : std::isnan(left) ? right : left;
                    } else {
                        value = what == OP_MIN ? std::min(left, right) : std::max(left, right);
                    }
                    break;
                case OP_SQRT:
                    value = std::sqrt(left);
                    break;
                default:
                    value = 1 - left;
            }
            put(c, format, o, value, keep);
        });
    });
}

int cudnnCreateReduceTensorDescriptor(void **descriptor) {
    SIM_ENTER("cudnnCreateReduceTensorDescriptor")
    if (descriptor == nullptr) {
        return failed(BAD_PARAM, "%s: a null pointer for the result", call.name);
    }
    ReduceDescriptor *made = new ReduceDescriptor;
    sim_handle_created(REDUCE, made);
    *descriptor = made;
    return SUCCESS;
}

int cudnnDestroyReduceTensorDescriptor(void *descriptor) {
    SIM_ENTER("cudnnDestroyReduceTensorDescriptor")
    if (!sim_handle_destroyed(REDUCE, descriptor, call.name)) {
        return BAD_PARAM;
    }
    delete static_cast<ReduceDescriptor *>(descriptor);
    return SUCCESS;
}

int cudnnSetReduceTensorDescriptor(void *descriptor, int op, int type, int nan, int indices, int indicesType) {
    SIM_ENTER("cudnnSetReduceTensorDescriptor")
    ReduceDescriptor *to = known<ReduceDescriptor>(REDUCE, descriptor, call.name);
    if (to == nullptr || op < REDUCE_ADD || op > REDUCE_MUL_NO_ZEROS || nan < 0 || nan > 1 || indices < 0 || indices > 1 || indicesType < 0
            || indicesType > 3) {
        return failed(BAD_PARAM, "%s: op=%d, NaN option=%d, indices=%d", call.name, op, nan, indices);
    }
    *to = {true, op, type, nan, indices, indicesType};
    return SUCCESS;
}

int cudnnGetReduceTensorDescriptor(void *descriptor, int *op, int *type, int *nan, int *indices, int *indicesType) {
    SIM_ENTER("cudnnGetReduceTensorDescriptor")
    const ReduceDescriptor *from = filled<ReduceDescriptor>(REDUCE, descriptor, call.name);
    if (from == nullptr || op == nullptr || type == nullptr || nan == nullptr || indices == nullptr || indicesType == nullptr) {
        return failed(BAD_PARAM, "%s: no filled descriptor, or a null pointer", call.name);
    }
    *op = from->op;
    *type = from->type;
    *nan = from->nan;
    *indices = from->indices;
    *indicesType = from->indicesType;
    return SUCCESS;
}

int cudnnGetReductionIndicesSize(void *handle, void *descriptor, void *aDesc, void *cDesc, size_t *bytes) {
    SIM_ENTER("cudnnGetReductionIndicesSize")
    const ReduceDescriptor *op = filled<ReduceDescriptor>(REDUCE, descriptor, call.name);
    const Tensor *c = filled<Tensor>(TENSOR, cDesc, call.name);
    if (known<Handle>(HANDLE, handle, call.name) == nullptr || op == nullptr || filled<Tensor>(TENSOR, aDesc, call.name) == nullptr
            || c == nullptr || bytes == nullptr) {
        return failed(BAD_PARAM, "%s: a null pointer, or a descriptor that was never set", call.name);
    }
    *bytes = op->indices == 0 ? 0 : size_t(c->elements()) * 4;
    return SUCCESS;
}

int cudnnGetReductionWorkspaceSize(void *handle, void *descriptor, void *aDesc, void *cDesc, size_t *bytes) {
    SIM_ENTER("cudnnGetReductionWorkspaceSize")
    const Tensor *a = filled<Tensor>(TENSOR, aDesc, call.name), *c = filled<Tensor>(TENSOR, cDesc, call.name);
    if (known<Handle>(HANDLE, handle, call.name) == nullptr || filled<ReduceDescriptor>(REDUCE, descriptor, call.name) == nullptr || a == nullptr
            || c == nullptr || bytes == nullptr) {
        return failed(BAD_PARAM, "%s: a null pointer, or a descriptor that was never set", call.name);
    }
    *bytes = size_t(reductionWorkspace(*a, *c));
    return SUCCESS;
}

int cudnnReduceTensor(void *handle, void *descriptor, void *indices, size_t indicesBytes, void *workspace, size_t workspaceBytes,
        const void *alpha, void *aDesc, const void *a, const void *beta, void *cDesc, void *c) {
    SIM_ENTER("cudnnReduceTensor")
    (void) indices;
    (void) indicesBytes;
    const ReduceDescriptor *op = filled<ReduceDescriptor>(REDUCE, descriptor, call.name);
    const Tensor *from = filled<Tensor>(TENSOR, aDesc, call.name), *to = filled<Tensor>(TENSOR, cDesc, call.name);
    if (op == nullptr || from == nullptr || to == nullptr || !repeats(*to, *from)) {
        return failed(BAD_PARAM, "%s: a descriptor that was never set, or C of another size than A's or 1", call.name);
    }
    if (op->indices != 0 || op->type != FLOAT) {
        return failed(NOT_SUPPORTED, "%s: the double of cuDNN reduces in F32 and without indices", call.name);
    }
    int64_t needed = reductionWorkspace(*from, *to);
    if (int64_t(workspaceBytes) < needed || (needed > 0 && workspace == nullptr)) {
        return failed(BAD_PARAM, "%s: needs a workspace of %ld bytes, given %zu at %p", call.name, long(needed), workspaceBytes, workspace);
    }
    library::Operands operands(call.name);
    operands.out("workspace", workspace, needed, library::WORKSPACE_ALIGNMENT);
    if (int status = unary(call, handle, from, a, to, c, alpha, beta, operands)) {
        return status;
    }
    Tensor in = *from, out = *to;
    int what = op->op, nan = op->nan;
    float scale = scalar(alpha, in.type), keep = scalar(beta, in.type);
    return queued(call, handle, operands, [=] {
        library::spoil(workspace, size_t(needed));
        std::vector<double> sums(size_t(out.extent()), neutral(what));
        Format format = formatOf(in), result = formatOf(out);
        each(in, in, in, out, [&](int64_t i, int64_t, int64_t o) {
            sums[size_t(o)] = combine(what, sums[size_t(o)], double(arithmetic::load(a, format, i)), nan);
        });
        double count = double(in.elements()) / double(out.elements());
        each(out, out, out, out, [&](int64_t, int64_t, int64_t o) {
            double value = sums[size_t(o)];
            value = what == REDUCE_AVG ? value / count : what == REDUCE_NORM2 ? std::sqrt(value) : value;
            put(c, result, o, scale * float(value), keep);
        });
    });
}

int cudnnSoftmaxForward(
        void *handle, int algorithm, int mode, const void *alpha, void *xDesc, const void *x, const void *beta, void *yDesc, void *y) {
    SIM_ENTER("cudnnSoftmaxForward")
    const Tensor *from = filled<Tensor>(TENSOR, xDesc, call.name), *to = filled<Tensor>(TENSOR, yDesc, call.name);
    if (from == nullptr || to == nullptr || !from->sameDims(*to) || from->type != to->type || algorithm < SOFTMAX_FAST
            || algorithm > SOFTMAX_LOG || mode < SOFTMAX_INSTANCE || mode > SOFTMAX_CHANNEL) {
        return failed(BAD_PARAM, "%s: algorithm=%d, mode=%d, or x and y differ in shape or data type", call.name, algorithm, mode);
    }
    library::Operands operands(call.name);
    if (from->sameLayout(*to)) {
        operands.inPlace(x);
    }
    if (int status = unary(call, handle, from, x, to, y, alpha, beta, operands)) {
        return status;
    }
    Tensor in = *from, out = *to;
    float scale = scalar(alpha, in.type), keep = scalar(beta, in.type);
    return queued(call, handle, operands, [=] {
        Format format = formatOf(in);
        std::vector<float> row;
        softmaxRows(in, mode, [&](int64_t count, auto offset) {
            row.resize(size_t(count));
            float peak = -std::numeric_limits<float>::infinity();
            for (int64_t i = 0; i < count; i++) {
                row[size_t(i)] = arithmetic::load(x, format, offset(in, i));
                peak = std::max(peak, row[size_t(i)]);
            }
            if (algorithm == SOFTMAX_FAST) {
                peak = 0;
            }
            double sum = 0;
            for (float value : row) {
                sum += std::exp(value - peak);
            }
            for (int64_t i = 0; i < count; i++) {
                float shifted = row[size_t(i)] - peak;
                float value = algorithm == SOFTMAX_LOG ? shifted - float(std::log(sum)) : float(std::exp(shifted) / sum);
                put(y, format, offset(out, i), scale * value, keep);
            }
        });
    });
}

int cudnnSoftmaxBackward(void *handle, int algorithm, int mode, const void *alpha, void *yDesc, const void *y, void *dyDesc, const void *dy,
        const void *beta, void *dxDesc, void *dx) {
    SIM_ENTER("cudnnSoftmaxBackward")
    const Tensor *ys = filled<Tensor>(TENSOR, yDesc, call.name), *dys = filled<Tensor>(TENSOR, dyDesc, call.name);
    const Tensor *dxs = filled<Tensor>(TENSOR, dxDesc, call.name);
    if (ys == nullptr || dys == nullptr || dxs == nullptr || y == nullptr || !ys->sameLayout(*dys) || !ys->sameDims(*dxs)
            || ys->type != dys->type || ys->type != dxs->type || algorithm < SOFTMAX_FAST || algorithm > SOFTMAX_LOG || mode < SOFTMAX_INSTANCE
            || mode > SOFTMAX_CHANNEL) {
        return failed(BAD_PARAM, "%s: algorithm=%d, mode=%d, or tensors differ in shape, strides or data type", call.name, algorithm, mode);
    }
    library::Operands operands(call.name);
    operands.in("y", y, bytesOf(*ys), bytesOf(ys->type));
    if (dys->sameLayout(*dxs)) {
        operands.inPlace(dy);
    }
    if (int status = unary(call, handle, dys, dy, dxs, dx, alpha, beta, operands)) {
        return status;
    }
    Tensor in = *ys, out = *dxs;
    float scale = scalar(alpha, in.type), keep = scalar(beta, in.type);
    return queued(call, handle, operands, [=] {
        Format format = formatOf(in);
        softmaxRows(in, mode, [&](int64_t count, auto offset) {
            double sum = 0;
            for (int64_t i = 0; i < count; i++) {
                double slope = arithmetic::load(dy, format, offset(in, i));
                sum += algorithm == SOFTMAX_LOG ? slope : slope * arithmetic::load(y, format, offset(in, i));
            }
            for (int64_t i = 0; i < count; i++) {
                float slope = arithmetic::load(dy, format, offset(in, i)), value = arithmetic::load(y, format, offset(in, i));
                float result = algorithm == SOFTMAX_LOG ? slope - std::exp(value) * float(sum) : value * (slope - float(sum));
                put(dx, format, offset(out, i), scale * result, keep);
            }
        });
    });
}

// ---- Dropout ----

int cudnnCreateDropoutDescriptor(void **descriptor) {
    SIM_ENTER("cudnnCreateDropoutDescriptor")
    if (descriptor == nullptr) {
        return failed(BAD_PARAM, "%s: a null pointer for the result", call.name);
    }
    Dropout *made = new Dropout;
    sim_handle_created(DROPOUT, made);
    *descriptor = made;
    return SUCCESS;
}

int cudnnDestroyDropoutDescriptor(void *descriptor) {
    SIM_ENTER("cudnnDestroyDropoutDescriptor")
    if (!sim_handle_destroyed(DROPOUT, descriptor, call.name)) {
        return BAD_PARAM;
    }
    delete static_cast<Dropout *>(descriptor);
    return SUCCESS;
}

int cudnnDropoutGetStatesSize(void *handle, size_t *bytes) {
    SIM_ENTER("cudnnDropoutGetStatesSize")
    if (known<Handle>(HANDLE, handle, call.name) == nullptr || bytes == nullptr) {
        return failed(BAD_PARAM, "%s: a null pointer", call.name);
    }
    *bytes = DROPOUT_STATES;
    return SUCCESS;
}

int cudnnDropoutGetReserveSpaceSize(void *xDesc, size_t *bytes) {
    SIM_ENTER("cudnnDropoutGetReserveSpaceSize")
    const Tensor *x = filled<Tensor>(TENSOR, xDesc, call.name);
    if (x == nullptr || bytes == nullptr) {
        return failed(BAD_PARAM, "%s: a null pointer, or a descriptor that was never set", call.name);
    }
    *bytes = size_t((x->elements() + 7) / 8);
    return SUCCESS;
}

int cudnnSetDropoutDescriptor(void *descriptor, void *handle, float rate, void *states, size_t bytes, unsigned long long seed) {
    SIM_ENTER("cudnnSetDropoutDescriptor")
    Dropout *to = known<Dropout>(DROPOUT, descriptor, call.name);
    if (to == nullptr || known<Handle>(HANDLE, handle, call.name) == nullptr || !(rate >= 0 && rate <= 1)) {
        return failed(BAD_PARAM, "%s: rate=%g", call.name, double(rate));
    }
    if (states != nullptr && bytes < DROPOUT_STATES) {
        return failed(INVALID_VALUE, "%s: states need %zu bytes, given %zu", call.name, DROPOUT_STATES, bytes);
    }
    *to = {rate, states, bytes, seed, 0};
    return SUCCESS;
}

int cudnnRestoreDropoutDescriptor(void *descriptor, void *handle, float rate, void *states, size_t bytes, unsigned long long seed) {
    SIM_ENTER("cudnnRestoreDropoutDescriptor")
    Dropout *to = known<Dropout>(DROPOUT, descriptor, call.name);
    if (to == nullptr || known<Handle>(HANDLE, handle, call.name) == nullptr || states == nullptr || bytes < DROPOUT_STATES) {
        return failed(BAD_PARAM, "%s: states of %zu bytes at %p", call.name, bytes, states);
    }
    *to = {rate, states, bytes, seed, to->drawn};
    return SUCCESS;
}

int cudnnGetDropoutDescriptor(void *descriptor, void *handle, float *rate, void **states, unsigned long long *seed) {
    SIM_ENTER("cudnnGetDropoutDescriptor")
    const Dropout *from = known<Dropout>(DROPOUT, descriptor, call.name);
    if (from == nullptr || known<Handle>(HANDLE, handle, call.name) == nullptr) {
        return BAD_PARAM;
    }
    if (rate != nullptr) {
        *rate = from->rate;
    }
    if (states != nullptr) {
        *states = from->states;
    }
    if (seed != nullptr) {
        *seed = from->seed;
    }
    return SUCCESS;
}

int cudnnDropoutForward(void *handle, void *descriptor, void *xDesc, const void *x, void *yDesc, void *y, void *reserve, size_t reserveBytes) {
    SIM_ENTER("cudnnDropoutForward")
    Dropout *dropout = known<Dropout>(DROPOUT, descriptor, call.name);
    const Tensor *from = filled<Tensor>(TENSOR, xDesc, call.name), *to = filled<Tensor>(TENSOR, yDesc, call.name);
    if (dropout == nullptr || dropout->states == nullptr || from == nullptr || to == nullptr || from->elements() != to->elements()
            || from->type != to->type || reserve == nullptr || int64_t(reserveBytes) < (from->elements() + 7) / 8) {
        return failed(BAD_PARAM, "%s: no states, x and y differ, or too little reserve space", call.name);
    }
    library::Operands operands(call.name);
    operands.out("reserve space", reserve, (from->elements() + 7) / 8, 1);
    operands.out("states", dropout->states, int64_t(DROPOUT_STATES), 16);
    if (from->sameLayout(*to)) {
        operands.inPlace(x);
    }
    const float one = 1;
    if (int status = unary(call, handle, from, x, to, y, &one, &one, operands)) {
        return status;
    }
    Tensor in = *from, out = *to;
    float rate = dropout->rate;
    uint64_t seed = dropout->seed, drawn = ++dropout->drawn;
    return queued(call, handle, operands, [=] {
        Format format = formatOf(in);
        uint64_t index = 0;
        unsigned char *mask = static_cast<unsigned char *>(reserve);
        std::memset(mask, 0, size_t((in.elements() + 7) / 8));
        each(in, in, in, out, [&](int64_t i, int64_t, int64_t o) {
            bool keep = kept(seed, drawn, index, rate);
            mask[index / 8] |= (unsigned char) (keep << (index % 8));
            arithmetic::store(y, format, o, keep ? arithmetic::load(x, format, i) / (1 - rate) : 0);
            index++;
        });
    });
}

}  // extern "C"
