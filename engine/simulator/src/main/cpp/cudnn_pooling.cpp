// Pooling of the double of cuDNN.
#include "cudnn_double.h"

#include <atomic>
#include <limits>

namespace cudnn {

namespace {

struct PoolingShape {
    Tensor x, y;
    Pooling pooling;
};

int64_t outputSize(const Pooling &pooling, int i, int64_t size) {
    return 1 + (size + 2 * pooling.pad[i] - pooling.window[i]) / pooling.stride[i];
}

Status describe(const char *call, const void *descriptor, const Tensor *x, const Tensor *y, PoolingShape *to) {
    const Pooling *pooling = filled<Pooling>(POOLING, descriptor, call);
    if (pooling == nullptr || x == nullptr || y == nullptr) {
        return BAD_PARAM;
    }
    if (x->rank != y->rank || x->rank != pooling->rank + 2 || x->dims[0] != y->dims[0] || x->dims[1] != y->dims[1] || x->type != y->type) {
        return failed(BAD_PARAM, "%s: x and y differ in images, channels or data type", call);
    }
    Format format;
    if (x->rank != 4 || !formatOf(x->type, &format)) {
        return failed(NOT_SUPPORTED, "%s: %d dimensions of data type %d", call, x->rank, x->type);
    }
    for (int i = 0; i < 2; i++) {
        if (x->dims[i + 2] + 2 * pooling->pad[i] < pooling->window[i] || y->dims[i + 2] != outputSize(*pooling, i, x->dims[i + 2])) {
            return failed(BAD_PARAM, "%s: spatial dimension %d of y is %ld; x has %ld, window=%ld, padding=%ld, stride=%ld", call, i,
                    long(y->dims[i + 2]), long(x->dims[i + 2]), long(pooling->window[i]), long(pooling->pad[i]), long(pooling->stride[i]));
        }
    }
    *to = {*x, *y, *pooling};
    return SUCCESS;
}

struct Window {
    int64_t top, bottom, left, right;

    Window(const PoolingShape &s, int64_t p, int64_t q) {
        top = p * s.pooling.stride[0] - s.pooling.pad[0];
        left = q * s.pooling.stride[1] - s.pooling.pad[1];
        bottom = std::min(top + s.pooling.window[0], s.x.dims[2]);
        right = std::min(left + s.pooling.window[1], s.x.dims[3]);
        top = std::max<int64_t>(top, 0);
        left = std::max<int64_t>(left, 0);
    }

    int64_t elements() const {
        return (bottom - top) * (right - left);
    }
};

bool maximum(const Pooling &pooling) {
    return pooling.mode == POOLING_MAX || pooling.mode == POOLING_MAX_DETERMINISTIC;
}

float divisor(const Pooling &pooling, const Window &window) {
    return float(pooling.mode == AVERAGE_INCLUDING_PADDING ? pooling.window[0] * pooling.window[1] : window.elements());
}

/** Whether a value takes the place of the largest so far; the first of equals stays. */
bool larger(float value, float largest, int nan) {
    return value > largest || (nan == PROPAGATE_NAN && std::isnan(value) && !std::isnan(largest));
}

std::atomic<int64_t> unordered{0};

}  // namespace

}  // namespace cudnn

using namespace cudnn;

SIM_ENTRY_POINTS

extern "C" {

int cudnnGetPoolingNdForwardOutputDim(void *descriptor, void *xDesc, int rank, int *dims) {
    SIM_ENTER("cudnnGetPoolingNdForwardOutputDim")
    const Pooling *pooling = filled<Pooling>(POOLING, descriptor, call.name);
    const Tensor *x = filled<Tensor>(TENSOR, xDesc, call.name);
    if (pooling == nullptr || x == nullptr || dims == nullptr || rank != x->rank || rank != pooling->rank + 2) {
        return failed(BAD_PARAM, "%s: descriptors of different dimensions, or a null pointer", call.name);
    }
    dims[0] = int(x->dims[0]);
    dims[1] = int(x->dims[1]);
    for (int i = 0; i < pooling->rank; i++) {
        dims[i + 2] = int(outputSize(*pooling, i, x->dims[i + 2]));
    }
    return SUCCESS;
}

int cudnnGetPooling2dForwardOutputDim(void *descriptor, void *xDesc, int *n, int *c, int *h, int *w) {
    SIM_ENTER("cudnnGetPooling2dForwardOutputDim")
    const Pooling *pooling = filled<Pooling>(POOLING, descriptor, call.name);
    const Tensor *x = filled<Tensor>(TENSOR, xDesc, call.name);
    if (pooling == nullptr || x == nullptr || n == nullptr || c == nullptr || h == nullptr || w == nullptr || x->rank != 4
            || pooling->rank != 2) {
        return failed(BAD_PARAM, "%s: descriptors of different dimensions, or a null pointer", call.name);
    }
    *n = int(x->dims[0]);
    *c = int(x->dims[1]);
    *h = int(outputSize(*pooling, 0, x->dims[2]));
    *w = int(outputSize(*pooling, 1, x->dims[3]));
    return SUCCESS;
}

int cudnnPoolingForward(
        void *handle, void *descriptor, const void *alpha, void *xDesc, const void *x, const void *beta, void *yDesc, void *y) {
    SIM_ENTER("cudnnPoolingForward")
    Handle *on = known<Handle>(HANDLE, handle, call.name);
    const Tensor *from = filled<Tensor>(TENSOR, xDesc, call.name), *to = filled<Tensor>(TENSOR, yDesc, call.name);
    PoolingShape s;
    if (on == nullptr || alpha == nullptr || beta == nullptr || x == nullptr || y == nullptr) {
        return failed(BAD_PARAM, "%s: a null pointer", call.name);
    }
    if (Status status = describe(call.name, descriptor, from, to, &s)) {
        return status;
    }
    if (!library::ready(call.name, on->place)) {
        return EXECUTION_FAILED;
    }
    library::Operands operands(call.name);
    int64_t width = bytesOf(s.x.type);
    operands.in("x", x, bytesOf(s.x), width);
    operands.out("y", y, bytesOf(s.y), width);
    bool scalars = operands.host("alpha", alpha, 4) && operands.host("beta", beta, 4);
    if (!operands.valid() || !scalars) {
        return EXECUTION_FAILED;
    }
    float scale = scalar(alpha, s.x.type), keep = scalar(beta, s.x.type);
    int64_t batch = call.fault == SIM_HALF ? s.x.dims[0] / 2 : s.x.dims[0];
    bool queued = library::enqueue(call, on->place, operands, [=] {
        Image in(s.x), out(s.y);
        std::vector<float> image, result(size_t(out.height * out.width * out.channels));
        bool max = maximum(s.pooling);
        for (int64_t n = 0; n < batch; n++) {
            in.load(image, x, n);
            for (int64_t p = 0; p < out.height; p++) {
                for (int64_t q = 0; q < out.width; q++) {
                    Window window(s, p, q);
                    float *sum = result.data() + (p * out.width + q) * out.channels;
                    std::fill(sum, sum + out.channels, max ? -std::numeric_limits<float>::infinity() : 0.0f);
                    for (int64_t r = window.top; r < window.bottom; r++) {
                        for (int64_t c = window.left; c < window.right; c++) {
                            const float *value = image.data() + (r * in.width + c) * in.channels;
                            for (int64_t k = 0; k < in.channels; k++) {
                                if (!max) {
                                    sum[k] += value[k];
                                } else if (larger(value[k], sum[k], s.pooling.nan)) {
                                    sum[k] = value[k];
                                }
                            }
                        }
                    }
                    if (!max) {
                        float count = divisor(s.pooling, window);
                        for (int64_t k = 0; k < out.channels; k++) {
                            sum[k] /= count;
                        }
                    }
                }
            }
            out.blend(y, n, result.data(), scale, keep);
        }
    });
    return queued ? SUCCESS : EXECUTION_FAILED;
}

int cudnnPoolingBackward(void *handle, void *descriptor, const void *alpha, void *yDesc, const void *y, void *dyDesc, const void *dy,
        void *xDesc, const void *x, const void *beta, void *dxDesc, void *dx) {
    SIM_ENTER("cudnnPoolingBackward")
    Handle *on = known<Handle>(HANDLE, handle, call.name);
    const Tensor *ys = filled<Tensor>(TENSOR, yDesc, call.name), *dys = filled<Tensor>(TENSOR, dyDesc, call.name);
    const Tensor *xs = filled<Tensor>(TENSOR, xDesc, call.name), *dxs = filled<Tensor>(TENSOR, dxDesc, call.name);
    PoolingShape s;
    if (on == nullptr || alpha == nullptr || beta == nullptr || dy == nullptr || dx == nullptr || x == nullptr || y == nullptr) {
        return failed(BAD_PARAM, "%s: a null pointer", call.name);
    }
    if (Status status = describe(call.name, descriptor, xs, ys, &s)) {
        return status;
    }
    if (dys == nullptr || dxs == nullptr || !ys->sameLayout(*dys) || !xs->sameLayout(*dxs) || ys->type != dys->type || xs->type != dxs->type) {
        return failed(BAD_PARAM, "%s: a gradient differs from its tensor in shape, strides or data type", call.name);
    }
    if (!library::ready(call.name, on->place)) {
        return EXECUTION_FAILED;
    }
    library::Operands operands(call.name);
    int64_t width = bytesOf(s.x.type);
    operands.in("y", y, bytesOf(s.y), width);
    operands.in("dy", dy, bytesOf(s.y), width);
    operands.in("x", x, bytesOf(s.x), width);
    operands.out("dx", dx, bytesOf(s.x), width);
    bool scalars = operands.host("alpha", alpha, 4) && operands.host("beta", beta, 4);
    if (!operands.valid() || !scalars) {
        return EXECUTION_FAILED;
    }
    float scale = scalar(alpha, s.x.type), keep = scalar(beta, s.x.type);
    if (call.fault == SIM_SWAP_ARGS) {
        std::swap(y, dy);
    }
    const char *name = call.name;
    int64_t batch = call.fault == SIM_HALF ? s.x.dims[0] / 2 : s.x.dims[0];
    bool queued = library::enqueue(call, on->place, operands, [=] {
        Image in(s.x), out(s.y);
        std::vector<float> image, gradient, outputs, result;
        bool max = maximum(s.pooling), mismatch = false;
        // The plain maximum promises no order of its sums.
        bool backwards = s.pooling.mode == POOLING_MAX && unordered++ % 2 != 0;
        int64_t pixels = out.height * out.width;
        for (int64_t n = 0; n < batch; n++) {
            in.load(image, x, n);
            out.load(gradient, dy, n);
            if (max) {
                out.load(outputs, y, n);
            }
            result.assign(size_t(in.height * in.width * in.channels), 0.0f);
            for (int64_t i = 0; i < pixels; i++) {
                int64_t pixel = backwards ? pixels - 1 - i : i;
                Window window(s, pixel / out.width, pixel % out.width);
                float count = divisor(s.pooling, window);
                for (int64_t k = 0; k < in.channels; k++) {
                    float slope = gradient[size_t(pixel * out.channels + k)], largest = -std::numeric_limits<float>::infinity();
                    int64_t place = -1;
                    for (int64_t r = window.top; r < window.bottom; r++) {
                        for (int64_t c = window.left; c < window.right; c++) {
                            int64_t at = (r * in.width + c) * in.channels + k;
                            if (!max) {
                                result[size_t(at)] += slope / count;
                            } else if (place < 0 || larger(image[size_t(at)], largest, s.pooling.nan)) {
                                place = at;
                                largest = image[size_t(at)];
                            }
                        }
                    }
                    if (place >= 0) {
                        float winner = image[size_t(place)], output = outputs[size_t(pixel * out.channels + k)];
                        mismatch = mismatch || !(winner == output || (std::isnan(winner) && std::isnan(output)));
                        result[size_t(place)] += slope;
                    }
                }
            }
            in.blend(dx, n, result.data(), scale, keep);
        }
        if (mismatch) {
            sim_violation("%s: y is not what the forward call makes of x", name);
        }
    });
    return queued ? SUCCESS : EXECUTION_FAILED;
}

}  // extern "C"
