// Convolutions of the double of cuDNN: the legacy calls.
#include "cudnn_double.h"

#include <atomic>

namespace cudnn {

// ---- Arithmetic ----

namespace {

int64_t groupChannels(const Geometry &g) {
    return g.channels / g.groups;
}

int64_t groupFilters(const Geometry &g) {
    return g.filters / g.groups;
}

/** Row and column of the filter that tap (r, s) multiplies with. */
int64_t tap(const Geometry &g, int64_t r, int64_t s) {
    return g.flipped ? (g.rows - 1 - r) * g.columns + (g.columns - 1 - s) : r * g.columns + s;
}

/** Calls body(pixel of y, pixel of x, tap) for every tap of every output that falls into x. */
template <class Body>
void taps(const Geometry &g, Body body) {
    for (int64_t p = 0; p < g.outHeight; p++) {
        for (int64_t r = 0; r < g.rows; r++) {
            int64_t y = p * g.strideY - g.padTop + r * g.dilationY;
            if (y < 0 || y >= g.height) {
                continue;
            }
            for (int64_t q = 0; q < g.outWidth; q++) {
                for (int64_t s = 0; s < g.columns; s++) {
                    int64_t x = q * g.strideX - g.padLeft + s * g.dilationX;
                    if (x >= 0 && x < g.width) {
                        body(p * g.outWidth + q, y * g.width + x, tap(g, r, s));
                    }
                }
            }
        }
    }
}

/** One channel in, one out per group: no matrix product in it. */
bool depthwise(const Geometry &g) {
    return groupChannels(g) == 1 && groupFilters(g) == 1;
}

/** [P * Q, R * S * C / groups] of one group. */
void columns(const Geometry &g, const float *x, int64_t group, std::vector<float> &to) {
    int64_t width = groupChannels(g), row = g.rows * g.columns * width;
    to.assign(size_t(g.outHeight * g.outWidth * row), 0.0f);
    taps(g, [&](int64_t out, int64_t in, int64_t at) {
        const float *from = x + in * g.channels + group * width;
        std::copy(from, from + width, to.data() + out * row + at * width);
    });
}

void transpose(const float *from, int64_t rows, int64_t columns, int64_t stride, std::vector<float> &to) {
    to.resize(size_t(rows * columns));
    for (int64_t i = 0; i < rows; i++) {
        for (int64_t j = 0; j < columns; j++) {
            to[size_t(j * rows + i)] = from[i * stride + j];
        }
    }
}

}  // namespace

void FilterImage::load(std::vector<float> &to, const void *base) const {
    to.resize(size_t(count * rows * columns * channels));
    float *at = to.data();
    for (int64_t k = 0; k < count; k++) {
        for (int64_t r = 0; r < rows; r++) {
            for (int64_t s = 0; s < columns; s++) {
                arithmetic::load(at, base, format, k * strideK + r * strideR + s * strideS, strideC, channels);
                at += channels;
            }
        }
    }
}

void FilterImage::blend(void *base, const float *values, float alpha, float beta) const {
    for (int64_t k = 0; k < count; k++) {
        for (int64_t r = 0; r < rows; r++) {
            for (int64_t s = 0; s < columns; s++) {
                arithmetic::blend(base, format, k * strideK + r * strideR + s * strideS, strideC, values, channels, alpha, beta);
                values += channels;
            }
        }
    }
}

void forward(const Geometry &g, const float *x, const float *w, float *y) {
    int64_t pixels = g.outHeight * g.outWidth;
    std::fill(y, y + pixels * g.filters, 0.0f);
    if (depthwise(g)) {
        std::vector<float> byTap;
        transpose(w, g.filters, g.rows * g.columns, g.rows * g.columns, byTap);
        taps(g, [&](int64_t out, int64_t in, int64_t at) {
            float *sum = y + out * g.filters;
            const float *from = x + in * g.channels, *factor = byTap.data() + at * g.channels;
            for (int64_t c = 0; c < g.channels; c++) {
                sum[c] += from[c] * factor[c];
            }
        });
        return;
    }
    int64_t depth = g.rows * g.columns * groupChannels(g), width = groupFilters(g);
    std::vector<float> gathered, filters;
    for (int64_t group = 0; group < g.groups; group++) {
        columns(g, x, group, gathered);
        transpose(w + group * width * depth, width, depth, depth, filters);
        arithmetic::gemm(pixels, width, depth, gathered.data(), depth, filters.data(), width, y + group * width, g.filters);
    }
}

void backwardData(const Geometry &g, const float *w, const float *dy, float *dx) {
    int64_t pixels = g.outHeight * g.outWidth;
    std::fill(dx, dx + g.height * g.width * g.channels, 0.0f);
    if (depthwise(g)) {
        std::vector<float> byTap;
        transpose(w, g.filters, g.rows * g.columns, g.rows * g.columns, byTap);
        taps(g, [&](int64_t out, int64_t in, int64_t at) {
            float *sum = dx + in * g.channels;
            const float *from = dy + out * g.filters, *factor = byTap.data() + at * g.channels;
            for (int64_t c = 0; c < g.channels; c++) {
                sum[c] += from[c] * factor[c];
            }
        });
        return;
    }
    int64_t width = groupChannels(g), depth = g.rows * g.columns * width, filters = groupFilters(g);
    std::vector<float> gathered(size_t(pixels * depth));
    for (int64_t group = 0; group < g.groups; group++) {
        std::fill(gathered.begin(), gathered.end(), 0.0f);
        arithmetic::gemm(pixels, depth, filters, dy + group * filters, g.filters, w + group * filters * depth, depth,
                gathered.data(), depth);
        taps(g, [&](int64_t out, int64_t in, int64_t at) {
            float *sum = dx + in * g.channels + group * width;
            const float *from = gathered.data() + out * depth + at * width;
            for (int64_t c = 0; c < width; c++) {
                sum[c] += from[c];
            }
        });
    }
}

void backwardFilter(const Geometry &g, const float *x, const float *dy, float *dw) {
    int64_t pixels = g.outHeight * g.outWidth;
    if (depthwise(g)) {
        std::vector<float> byTap(size_t(g.rows * g.columns * g.channels), 0.0f);
        taps(g, [&](int64_t out, int64_t in, int64_t at) {
            float *sum = byTap.data() + at * g.channels;
            const float *from = x + in * g.channels, *factor = dy + out * g.filters;
            for (int64_t c = 0; c < g.channels; c++) {
                sum[c] += from[c] * factor[c];
            }
        });
        for (int64_t c = 0; c < g.channels; c++) {
            for (int64_t at = 0; at < g.rows * g.columns; at++) {
                dw[c * g.rows * g.columns + at] += byTap[size_t(at * g.channels + c)];
            }
        }
        return;
    }
    int64_t depth = g.rows * g.columns * groupChannels(g), filters = groupFilters(g);
    std::vector<float> gathered, turned;
    for (int64_t group = 0; group < g.groups; group++) {
        columns(g, x, group, gathered);
        transpose(dy + group * filters, pixels, filters, g.filters, turned);
        arithmetic::gemm(filters, depth, pixels, turned.data(), pixels, gathered.data(), depth, dw + group * filters * depth, depth);
    }
}

// ---- What the library accepts ----

namespace {

enum class Direction { FORWARD, BACKWARD_DATA, BACKWARD_FILTER };

struct Description {
    Tensor x, y;
    Filter w;
    Convolution convolution;
    Geometry geometry;
    FilterImage filter;
};

int64_t outputSize(int64_t size, int64_t filter, int64_t pad, int64_t stride, int64_t dilation) {
    return 1 + (size + 2 * pad - ((filter - 1) * dilation + 1)) / stride;
}

FilterImage imageOf(const Filter &w) {
    FilterImage image;
    formatOf(w.type, &image.format);
    image.count = w.dims[0];
    image.channels = w.dims[1];
    image.rows = w.dims[2];
    image.columns = w.dims[3];
    image.strideK = image.channels * image.rows * image.columns;
    if (w.format == NHWC) {
        image.strideC = 1;
        image.strideS = image.channels;
        image.strideR = image.columns * image.channels;
    } else {
        image.strideS = 1;
        image.strideR = image.columns;
        image.strideC = image.rows * image.columns;
    }
    return image;
}

/** Descriptors that fit each other, as every convolution call demands. */
Status describe(const char *call, const void *xDesc, const void *wDesc, const void *convDesc, const void *yDesc, Description *to) {
    const Tensor *x = filled<Tensor>(TENSOR, xDesc, call);
    const Filter *w = filled<Filter>(FILTER, wDesc, call);
    const Convolution *convolution = filled<Convolution>(CONVOLUTION_DESCRIPTOR, convDesc, call);
    const Tensor *y = filled<Tensor>(TENSOR, yDesc, call);
    if (x == nullptr || w == nullptr || convolution == nullptr || y == nullptr) {
        return BAD_PARAM;
    }
    if (x->rank != y->rank || x->rank != w->rank || x->rank != convolution->rank + 2) {
        return failed(BAD_PARAM, "%s: x, w and y have %d, %d and %d dimensions, the convolution %d", call, x->rank, w->rank, y->rank,
                convolution->rank);
    }
    if (x->rank != 4) {
        return failed(NOT_SUPPORTED, "%s: the double of cuDNN convolves in two dimensions", call);
    }
    int64_t groups = convolution->groups;
    if (x->dims[1] != w->dims[1] * groups || y->dims[1] != w->dims[0] || w->dims[0] % groups != 0) {
        return failed(BAD_PARAM, "%s: %ld channels in, filters of %ld channels in %ld groups, %ld filters, %ld channels out", call,
                long(x->dims[1]), long(w->dims[1]), long(groups), long(w->dims[0]), long(y->dims[1]));
    }
    if (x->dims[0] != y->dims[0]) {
        return failed(BAD_PARAM, "%s: x has %ld images, y %ld", call, long(x->dims[0]), long(y->dims[0]));
    }
    for (int i = 0; i < 2; i++) {
        int64_t size = x->dims[i + 2] + 2 * convolution->pad[i], reach = (w->dims[i + 2] - 1) * convolution->dilation[i] + 1;
        int64_t expected = outputSize(x->dims[i + 2], w->dims[i + 2], convolution->pad[i], convolution->stride[i], convolution->dilation[i]);
        if (reach > size || expected != y->dims[i + 2]) {
            return failed(BAD_PARAM, "%s: spatial dimension %d of y is %ld, but the convolution makes %ld", call, i, long(y->dims[i + 2]),
                    long(reach > size ? 0 : expected));
        }
    }
    if (x->type != w->type || x->type != y->type) {
        return failed(BAD_PARAM, "%s: data types of x, w and y: %d, %d, %d", call, x->type, w->type, y->type);
    }
    Format format;
    bool pseudo = (x->type == HALF || x->type == BFLOAT16) && convolution->type == FLOAT;
    bool plain = x->type == FLOAT && convolution->type == FLOAT;
    if (!formatOf(x->type, &format) || (!pseudo && !plain)) {
        return failed(NOT_SUPPORTED, "%s: data type %d with compute type %d", call, x->type, convolution->type);
    }
    if (w->format == NHWC ? !x->channelsLast() || !y->channelsLast() : false) {
        return failed(NOT_SUPPORTED, "%s: an NHWC filter goes with fully packed NHWC tensors", call);
    }
    to->x = *x;
    to->y = *y;
    to->w = *w;
    to->convolution = *convolution;
    to->geometry = {x->dims[0], groups, x->dims[1], x->dims[2], x->dims[3], w->dims[0], w->dims[2], w->dims[3], y->dims[2], y->dims[3],
            convolution->pad[0], convolution->pad[1], convolution->stride[0], convolution->stride[1], convolution->dilation[0],
            convolution->dilation[1], convolution->mode == CONVOLUTION};
    to->filter = imageOf(*w);
    return SUCCESS;
}

constexpr int ALGORITHMS[] = {8, 6, 7};

/** What the tables of the three calls say of one algorithm. */
struct Algorithm {
    bool supported;
    bool deterministic;
    bool tensorCores;     // may use them if the math type and the data allow it
    int64_t workspace;
    double cost;          // of a multiplication, relative
};

Algorithm algorithm(const Description &d, Direction direction, int algo) {
    const Geometry &g = d.geometry;
    bool nhwc = d.w.format == NHWC;
    bool undilated = g.dilationY == 1 && g.dilationX == 1;
    bool unstrided = g.strideY == 1 && g.strideX == 1;
    bool three = g.rows == 3 && g.columns == 3;
    int64_t outPixels = g.batch * g.outHeight * g.outWidth;
    int64_t gathered = g.outHeight * g.outWidth * g.rows * g.columns * g.channels * 4;
    int64_t padded = ((g.channels + 7) / 8 * 8 * g.height * g.width + (g.filters + 7) / 8 * 8 * g.outHeight * g.outWidth) * g.batch * 2;
    bool uneven = g.channels / g.groups % 8 != 0 || g.filters / g.groups % 8 != 0;
    int64_t transformed = g.batch * (g.channels + g.filters) * ((g.outHeight + 1) / 2) * ((g.outWidth + 1) / 2) * 16 * 4;
    Algorithm none{false, true, false, 0, 0};
    // Fourier and Winograd algorithms, and the third of the filter gradient, take NCHW.
    bool fourier = !nhwc && unstrided && undilated && g.groups == 1 && d.x.type != BFLOAT16 && g.height <= 256 && g.width <= 256;
    bool winograd = !nhwc && three && unstrided && undilated && d.x.type != BFLOAT16;
    switch (direction) {
        case Direction::FORWARD:
            switch (algo) {
                case 0:
                    return {true, true, false, 0, 1.6};
                case 1:
                    return {true, true, true, 4096 + outPixels * 4 + (uneven && d.x.type != FLOAT ? padded : 0), 1};
                case 2:
                    return nhwc || !undilated || d.x.type == BFLOAT16 ? none : Algorithm{true, true, false, gathered, 2};
                case 4:
                case 5:
                    return fourier ? Algorithm{true, true, false, transformed * (algo == 4 ? 4 : 2), 1.3} : none;
                case 6:
                    return winograd ? Algorithm{true, true, false, 0, 0.8} : none;
                case 7:
                    return winograd ? Algorithm{true, true, true, transformed, 0.7} : none;
                default:
                    return none;
            }
        case Direction::BACKWARD_DATA:
            switch (algo) {
                case 0:
                    return {true, false, false, 0, 1.5};
                case 1:
                    return {true, true, true, 8192 + g.filters * g.rows * g.columns * (g.channels / g.groups) * 4 + (uneven && d.x.type != FLOAT ? padded : 0), 1};
                case 2:
                case 3:
                    return fourier ? Algorithm{true, true, false, transformed * 3, 1.4} : none;
                case 4:
                    return winograd ? Algorithm{true, true, false, 16384, 0.9} : none;
                case 5:
                    return winograd ? Algorithm{true, true, true, transformed, 0.8} : none;
                default:
                    return none;
            }
        case Direction::BACKWARD_FILTER:
            switch (algo) {
                case 0:
                    return {true, false, false, 0, 1.1};
                case 1:
                    return {true, true, true, 16384 + g.filters * g.rows * g.columns * (g.channels / g.groups) * 4 * 2 + (uneven && d.x.type != FLOAT ? padded : 0), 1.2};
                case 2:
                case 6:
                    return fourier ? Algorithm{true, true, false, transformed * 2, 1.6} : none;
                case 3:
                    return nhwc || !undilated ? none : Algorithm{true, false, false, outPixels * 4 + 4096, 1};
                case 5:
                    return winograd ? Algorithm{true, true, true, transformed, 0.9} : none;
                default:
                    return none;
            }
    }
    return none;
}

/** On compute capability 8.0 and up, the default math type permits TF32; only FMA forbids it. */
Rounding rounding(const Description &d, const Algorithm &a, int math) {
    if (d.x.type != FLOAT || !a.tensorCores || math == FMA_MATH) {
        return Rounding::NONE;
    }
    return math == TENSOR_OP_MATH_ALLOW_CONVERSION ? Rounding::HALF : Rounding::TF32;
}

struct Performance {
    int algo;
    int status;
    float time;
    size_t memory;
    int determinism;
    int math;
    int reserved[3];
};

/** Every algorithm in both math types that differ, best first, those that cannot do it last. */
std::vector<Performance> ranked(const Description &d, Direction direction, bool measured, size_t workspaceLimit) {
    std::vector<Performance> all;
    double work = 2.0 * double(d.y.elements()) * double(d.w.elements()) / double(d.w.dims[0]);
    for (int algo = 0; algo < ALGORITHMS[int(direction)]; algo++) {
        Algorithm a = algorithm(d, direction, algo);
        bool cores = a.supported && a.tensorCores && d.convolution.math != FMA_MATH;
        for (int fast = cores ? 1 : 0; fast >= 0; fast--) {
            if (fast == 0 && cores && d.x.type != FLOAT) {
                continue;
            }
            Performance p{};
            p.algo = algo;
            p.status = !a.supported ? NOT_SUPPORTED : measured && size_t(a.workspace) > workspaceLimit ? ALLOC_FAILED : SUCCESS;
            p.memory = a.supported ? size_t(a.workspace) : 0;
            p.time = p.status == SUCCESS ? float(0.004 + work * a.cost / (fast ? 2e11 : 2e10)) : -1.0f;
            p.determinism = a.deterministic ? 1 : 0;
            p.math = fast ? std::max<int>(d.convolution.math, TENSOR_OP_MATH) : cores ? FMA_MATH : d.convolution.math;
            all.push_back(p);
        }
    }
    std::stable_sort(all.begin(), all.end(), [](const Performance &a, const Performance &b) {
        return a.status != b.status && (a.status == SUCCESS || b.status == SUCCESS) ? a.status == SUCCESS : a.time < b.time;
    });
    return all;
}

int maxCount(Direction direction) {
    return ALGORITHMS[int(direction)] + 2;
}

int countAlgorithms(const char *name, void *handle, Direction direction, int *count) {
    SIM_ENTER(name)
    if (known<Handle>(HANDLE, handle, name) == nullptr || count == nullptr) {
        return failed(BAD_PARAM, "%s: a null pointer", name);
    }
    *count = maxCount(direction);
    return SUCCESS;
}

int give(const char *name, const std::vector<Performance> &all, int requested, int *returned, Performance *results) {
    if (requested < 1 || returned == nullptr || results == nullptr) {
        return failed(BAD_PARAM, "%s: requested count=%d, or a null pointer", name, requested);
    }
    *returned = std::min(requested, int(all.size()));
    std::copy(all.begin(), all.begin() + *returned, results);
    return SUCCESS;
}

int heuristics(const char *name, void *handle, Direction direction, const void *x, const void *w, const void *convolution, const void *y,
        int requested, int *returned, Performance *results) {
    SIM_ENTER(name)
    if (known<Handle>(HANDLE, handle, name) == nullptr) {
        return BAD_PARAM;
    }
    Description d;
    if (Status status = describe(name, x, w, convolution, y, &d)) {
        return status;
    }
    return give(name, ranked(d, direction, false, SIZE_MAX), requested, returned, results);
}

/** Runs each algorithm on memory of its own: it allocates, waits for the device, and so has no place in a capture. */
int find(const char *name, void *handle, Direction direction, const void *x, const void *w, const void *convolution, const void *y,
        int requested, int *returned, Performance *results) {
    SIM_ENTER(name)
    Handle *of = known<Handle>(HANDLE, handle, name);
    if (of == nullptr) {
        return BAD_PARAM;
    }
    if (!library::ready(name, of->place) || sim_unsafe_in_capture(name) != CUDA_SUCCESS) {
        return EXECUTION_FAILED;
    }
    Description d;
    if (Status status = describe(name, x, w, convolution, y, &d)) {
        return status;
    }
    if (sim_synchronize(of->place.stream, name) != CUDA_SUCCESS) {
        return EXECUTION_FAILED;
    }
    return give(name, ranked(d, direction, true, SIZE_MAX), requested, returned, results);
}

struct Memory {
    const void *x, *w, *y;
};

void operandsOf(library::Operands &operands, const Description &d, Direction direction, const Memory &m) {
    int64_t width = bytesOf(d.x.type);
    auto add = [&](bool out, const char *what, const void *address, int64_t bytes) {
        if (out) {
            operands.out(what, address, bytes, width);
        } else {
            operands.in(what, address, bytes, width);
        }
    };
    add(direction == Direction::BACKWARD_DATA, direction == Direction::BACKWARD_DATA ? "dx" : "x", m.x, bytesOf(d.x));
    add(direction == Direction::BACKWARD_FILTER, direction == Direction::BACKWARD_FILTER ? "dw" : "w", m.w, bytesOf(d.w));
    add(direction == Direction::FORWARD, direction == Direction::FORWARD ? "y" : "dy", m.y, bytesOf(d.y));
}

/** As find, on the caller's memory: what the result held is lost. */
int findOnMemory(const char *name, void *handle, Direction direction, const void *x, const void *w, const void *convolution, const void *y,
        const Memory &m, int requested, int *returned, Performance *results, void *workspace, size_t workspaceBytes) {
    SIM_ENTER(name)
    Handle *of = known<Handle>(HANDLE, handle, name);
    if (of == nullptr) {
        return BAD_PARAM;
    }
    if (!library::ready(name, of->place) || sim_unsafe_in_capture(name) != CUDA_SUCCESS) {
        return EXECUTION_FAILED;
    }
    Description d;
    if (Status status = describe(name, x, w, convolution, y, &d)) {
        return status;
    }
    if (m.x == nullptr || m.w == nullptr || m.y == nullptr || (workspace == nullptr && workspaceBytes > 0)) {
        return failed(BAD_PARAM, "%s: a null pointer", name);
    }
    library::Operands operands(name);
    operandsOf(operands, d, direction, m);
    operands.out("workspace", workspace, int64_t(workspaceBytes), library::WORKSPACE_ALIGNMENT);
    if (!operands.valid()) {
        return EXECUTION_FAILED;
    }
    void *result = const_cast<void *>(direction == Direction::FORWARD ? m.y : direction == Direction::BACKWARD_DATA ? m.x : m.w);
    int64_t bytes = direction == Direction::FORWARD ? bytesOf(d.y) : direction == Direction::BACKWARD_DATA ? bytesOf(d.x) : bytesOf(d.w);
    bool queued = library::enqueue(call, of->place, operands, [result, bytes, workspace, workspaceBytes] {
        std::memset(result, 0xff, size_t(bytes));
        library::spoil(workspace, workspaceBytes);
    });
    if (!queued || sim_synchronize(of->place.stream, name) != CUDA_SUCCESS) {
        return EXECUTION_FAILED;
    }
    return give(name, ranked(d, direction, true, workspaceBytes), requested, returned, results);
}

int workspaceSize(const char *name, void *handle, Direction direction, const void *x, const void *w, const void *convolution, const void *y,
        int algo, size_t *bytes) {
    SIM_ENTER(name)
    if (known<Handle>(HANDLE, handle, name) == nullptr || bytes == nullptr) {
        return failed(BAD_PARAM, "%s: a null pointer", name);
    }
    Description d;
    if (Status status = describe(name, x, w, convolution, y, &d)) {
        return status;
    }
    if (algo < 0 || algo >= ALGORITHMS[int(direction)]) {
        return failed(BAD_PARAM, "%s: algorithm=%d", name, algo);
    }
    Algorithm a = algorithm(d, direction, algo);
    if (!a.supported) {
        return failed(NOT_SUPPORTED, "%s: algorithm %d does not do this convolution", name, algo);
    }
    *bytes = size_t(a.workspace);
    return SUCCESS;
}

/** What follows a forward convolution in one call: y = act(alpha1 * conv + alpha2 * z + bias). */
struct Epilogue {
    bool present = false;
    float alpha2 = 0;
    const void *z = nullptr;
    const void *bias = nullptr;
    Activation activation;
};

/** The filters in reverse, in w [K, depth] and dy [pixels, K]: the same sums in another order. */
void reverse(const Geometry &g, std::vector<float> &w, std::vector<float> &dy) {
    int64_t filters = groupFilters(g), depth = g.rows * g.columns * groupChannels(g);
    for (int64_t group = 0; group < g.groups; group++) {
        for (int64_t k = 0; k < filters / 2; k++) {
            int64_t left = group * filters + k, right = (group + 1) * filters - 1 - k;
            std::swap_ranges(w.begin() + left * depth, w.begin() + (left + 1) * depth, w.begin() + right * depth);
            for (int64_t pixel = 0; pixel < g.outHeight * g.outWidth; pixel++) {
                std::swap(dy[size_t(pixel * g.filters + left)], dy[size_t(pixel * g.filters + right)]);
            }
        }
    }
}

/** Rises with every call of an algorithm that does not promise an order of its sums. */
std::atomic<int64_t> unordered{0};

void execute(const Description &d, Direction direction, const Memory &m, float alpha, float beta, Rounding rounded, int64_t turn,
        const Epilogue &epilogue, bool halved) {
    const Geometry &g = d.geometry;
    Image x(d.x), y(d.y);
    std::vector<float> images, results, filters;
    int64_t batch = halved ? g.batch / 2 : g.batch;
    if (direction == Direction::BACKWARD_FILTER) {
        filters.assign(size_t(d.w.elements()), 0.0f);
    } else {
        d.filter.load(filters, m.w);
        arithmetic::round(filters.data(), int64_t(filters.size()), rounded);
    }
    std::vector<float> bias;
    if (epilogue.bias != nullptr) {
        bias.resize(size_t(g.filters));
        arithmetic::load(bias.data(), epilogue.bias, y.format, 0, 1, g.filters);
    }
    for (int64_t i = 0; i < batch; i++) {
        int64_t n = (i + turn) % g.batch;
        switch (direction) {
            case Direction::FORWARD:
                x.load(images, m.x, n);
                arithmetic::round(images.data(), int64_t(images.size()), rounded);
                results.resize(size_t(g.outHeight * g.outWidth * g.filters));
                forward(g, images.data(), filters.data(), results.data());
                if (epilogue.present) {
                    std::vector<float> z;
                    if (epilogue.alpha2 != 0) {
                        y.load(z, epilogue.z, n);
                    }
                    for (size_t at = 0; at < results.size(); at++) {
                        float value = alpha * results[at] + bias[at % size_t(g.filters)] + (z.empty() ? 0 : epilogue.alpha2 * z[at]);
                        results[at] = activate(epilogue.activation, value);
                    }
                }
                y.blend(const_cast<void *>(m.y), n, results.data(), epilogue.present ? 1 : alpha, beta);
                break;
            case Direction::BACKWARD_DATA:
                y.load(images, m.y, n);
                arithmetic::round(images.data(), int64_t(images.size()), rounded);
                results.resize(size_t(g.height * g.width * g.channels));
                if (turn % 2 != 0) {
                    reverse(g, filters, images);
                }
                backwardData(g, filters.data(), images.data(), results.data());
                if (turn % 2 != 0) {
                    reverse(g, filters, images);
                }
                x.blend(const_cast<void *>(m.x), n, results.data(), alpha, beta);
                break;
            case Direction::BACKWARD_FILTER:
                x.load(images, m.x, n);
                y.load(results, m.y, n);
                arithmetic::round(images.data(), int64_t(images.size()), rounded);
                arithmetic::round(results.data(), int64_t(results.size()), rounded);
                backwardFilter(g, images.data(), results.data(), filters.data());
                break;
        }
    }
    if (direction == Direction::BACKWARD_FILTER) {
        d.filter.blend(const_cast<void *>(m.w), filters.data(), alpha, beta);
    }
}

int run(const SimCall &call, Handle *handle, Direction direction, const Description &d, int algo, const Memory &memory, const void *alpha,
        const void *beta, void *workspace, size_t workspaceBytes, const Epilogue &epilogue, library::Operands &operands) {
    const char *name = call.name;
    if (!library::ready(name, handle->place)) {
        return EXECUTION_FAILED;
    }
    Memory m = memory;
    if (call.fault == SIM_SWAP_ARGS) {
        std::swap(direction == Direction::BACKWARD_FILTER ? m.x : m.w, direction == Direction::FORWARD ? m.x : m.y);
    }
    if (alpha == nullptr || (beta == nullptr && !epilogue.present) || m.x == nullptr || m.w == nullptr || m.y == nullptr) {
        return failed(BAD_PARAM, "%s: a null pointer", name);
    }
    if (algo < 0 || algo >= ALGORITHMS[int(direction)]) {
        return failed(BAD_PARAM, "%s: algorithm=%d", name, algo);
    }
    Algorithm a = algorithm(d, direction, algo);
    if (!a.supported) {
        return failed(NOT_SUPPORTED, "%s: algorithm %d does not do this convolution", name, algo);
    }
    if (int64_t(workspaceBytes) < a.workspace || (a.workspace > 0 && workspace == nullptr)) {
        return failed(BAD_PARAM, "%s: algorithm %d needs a workspace of %ld bytes, given %zu at %p", name, algo, long(a.workspace),
                workspaceBytes, workspace);
    }
    bool scalars = operands.host("alpha", alpha, 4) && (beta == nullptr || operands.host("beta", beta, 4));
    operandsOf(operands, d, direction, m);
    operands.out("workspace", a.workspace > 0 ? workspace : nullptr, a.workspace, library::WORKSPACE_ALIGNMENT);
    if (!operands.valid() || !scalars) {
        return EXECUTION_FAILED;
    }
    float scale = scalar(alpha, d.x.type), keep = beta == nullptr ? 0 : scalar(beta, d.x.type);
    Rounding rounded = rounding(d, a, d.convolution.math);
    bool halved = call.fault == SIM_HALF, ordered = a.deterministic;
    int64_t used = a.workspace;
    bool queued = library::enqueue(call, handle->place, operands, [=] {
        library::spoil(workspace, size_t(used));
        execute(d, direction, m, scale, keep, rounded, ordered ? 0 : unordered++, epilogue, halved);
    });
    return queued ? SUCCESS : EXECUTION_FAILED;
}

int outputDims(const char *name, const void *convDesc, const void *xDesc, const void *wDesc, int rank, int *dims) {
    const Convolution *convolution = filled<Convolution>(CONVOLUTION_DESCRIPTOR, convDesc, name);
    const Tensor *x = filled<Tensor>(TENSOR, xDesc, name);
    const Filter *w = filled<Filter>(FILTER, wDesc, name);
    if (convolution == nullptr || x == nullptr || w == nullptr || x->rank != rank || w->rank != rank || convolution->rank != rank - 2) {
        return failed(BAD_PARAM, "%s: descriptors of different dimensions", name);
    }
    if (x->dims[1] != w->dims[1] * convolution->groups) {
        return failed(BAD_PARAM, "%s: %ld channels, filters of %ld in %d groups", name, long(x->dims[1]), long(w->dims[1]), convolution->groups);
    }
    dims[0] = int(x->dims[0]);
    dims[1] = int(w->dims[0]);
    for (int i = 0; i < rank - 2; i++) {
        int64_t size = outputSize(x->dims[i + 2], w->dims[i + 2], convolution->pad[i], convolution->stride[i], convolution->dilation[i]);
        if (x->dims[i + 2] + 2 * convolution->pad[i] < (w->dims[i + 2] - 1) * convolution->dilation[i] + 1) {
            return failed(BAD_PARAM, "%s: the filter is larger than the padded image", name);
        }
        dims[i + 2] = int(size);
    }
    return SUCCESS;
}

}  // namespace

}  // namespace cudnn

using namespace cudnn;

SIM_ENTRY_POINTS

extern "C" {

int cudnnGetConvolution2dForwardOutputDim(void *convolution, void *x, void *w, int *n, int *c, int *h, int *width) {
    SIM_ENTER("cudnnGetConvolution2dForwardOutputDim")
    int dims[4];
    int *to[] = {n, c, h, width};
    if (int status = outputDims(call.name, convolution, x, w, 4, dims)) {
        return status;
    }
    for (int i = 0; i < 4; i++) {
        if (to[i] == nullptr) {
            return failed(BAD_PARAM, "%s: a null pointer for a result", call.name);
        }
        *to[i] = dims[i];
    }
    return SUCCESS;
}

int cudnnGetConvolutionNdForwardOutputDim(void *convolution, void *x, void *w, int rank, int *dims) {
    SIM_ENTER("cudnnGetConvolutionNdForwardOutputDim")
    if (dims == nullptr || rank < 3 || rank > MAX_DIMENSIONS) {
        return failed(BAD_PARAM, "%s: dimensions=%d, or a null pointer", call.name, rank);
    }
    return outputDims(call.name, convolution, x, w, rank, dims);
}

int cudnnGetConvolutionForwardAlgorithmMaxCount(void *handle, int *count) {
    return countAlgorithms("cudnnGetConvolutionForwardAlgorithmMaxCount", handle, Direction::FORWARD, count);
}

int cudnnGetConvolutionBackwardDataAlgorithmMaxCount(void *handle, int *count) {
    return countAlgorithms("cudnnGetConvolutionBackwardDataAlgorithmMaxCount", handle, Direction::BACKWARD_DATA, count);
}

int cudnnGetConvolutionBackwardFilterAlgorithmMaxCount(void *handle, int *count) {
    return countAlgorithms("cudnnGetConvolutionBackwardFilterAlgorithmMaxCount", handle, Direction::BACKWARD_FILTER, count);
}

int cudnnGetConvolutionForwardAlgorithm_v7(
        void *handle, void *x, void *w, void *convolution, void *y, int requested, int *returned, Performance *results) {
    return heuristics("cudnnGetConvolutionForwardAlgorithm_v7", handle, Direction::FORWARD, x, w, convolution, y, requested, returned, results);
}

int cudnnGetConvolutionBackwardDataAlgorithm_v7(
        void *handle, void *w, void *dy, void *convolution, void *dx, int requested, int *returned, Performance *results) {
    return heuristics("cudnnGetConvolutionBackwardDataAlgorithm_v7", handle, Direction::BACKWARD_DATA, dx, w, convolution, dy, requested,
            returned, results);
}

int cudnnGetConvolutionBackwardFilterAlgorithm_v7(
        void *handle, void *x, void *dy, void *convolution, void *dw, int requested, int *returned, Performance *results) {
    return heuristics("cudnnGetConvolutionBackwardFilterAlgorithm_v7", handle, Direction::BACKWARD_FILTER, x, dw, convolution, dy, requested,
            returned, results);
}

int cudnnFindConvolutionForwardAlgorithm(
        void *handle, void *x, void *w, void *convolution, void *y, int requested, int *returned, Performance *results) {
    return find("cudnnFindConvolutionForwardAlgorithm", handle, Direction::FORWARD, x, w, convolution, y, requested, returned, results);
}

int cudnnFindConvolutionBackwardDataAlgorithm(
        void *handle, void *w, void *dy, void *convolution, void *dx, int requested, int *returned, Performance *results) {
    return find("cudnnFindConvolutionBackwardDataAlgorithm", handle, Direction::BACKWARD_DATA, dx, w, convolution, dy, requested, returned,
            results);
}

int cudnnFindConvolutionBackwardFilterAlgorithm(
        void *handle, void *x, void *dy, void *convolution, void *dw, int requested, int *returned, Performance *results) {
    return find("cudnnFindConvolutionBackwardFilterAlgorithm", handle, Direction::BACKWARD_FILTER, x, dw, convolution, dy, requested, returned,
            results);
}

int cudnnFindConvolutionForwardAlgorithmEx(void *handle, void *xDesc, const void *x, void *wDesc, const void *w, void *convolution, void *yDesc,
        void *y, int requested, int *returned, Performance *results, void *workspace, size_t workspaceBytes) {
    return findOnMemory("cudnnFindConvolutionForwardAlgorithmEx", handle, Direction::FORWARD, xDesc, wDesc, convolution, yDesc, {x, w, y},
            requested, returned, results, workspace, workspaceBytes);
}

int cudnnFindConvolutionBackwardDataAlgorithmEx(void *handle, void *wDesc, const void *w, void *dyDesc, const void *dy, void *convolution,
        void *dxDesc, void *dx, int requested, int *returned, Performance *results, void *workspace, size_t workspaceBytes) {
    return findOnMemory("cudnnFindConvolutionBackwardDataAlgorithmEx", handle, Direction::BACKWARD_DATA, dxDesc, wDesc, convolution, dyDesc,
            {dx, w, dy}, requested, returned, results, workspace, workspaceBytes);
}

int cudnnFindConvolutionBackwardFilterAlgorithmEx(void *handle, void *xDesc, const void *x, void *dyDesc, const void *dy, void *convolution,
        void *dwDesc, void *dw, int requested, int *returned, Performance *results, void *workspace, size_t workspaceBytes) {
    return findOnMemory("cudnnFindConvolutionBackwardFilterAlgorithmEx", handle, Direction::BACKWARD_FILTER, xDesc, dwDesc, convolution, dyDesc,
            {x, dw, dy}, requested, returned, results, workspace, workspaceBytes);
}

int cudnnGetConvolutionForwardWorkspaceSize(void *handle, void *x, void *w, void *convolution, void *y, int algo, size_t *bytes) {
    return workspaceSize("cudnnGetConvolutionForwardWorkspaceSize", handle, Direction::FORWARD, x, w, convolution, y, algo, bytes);
}

int cudnnGetConvolutionBackwardDataWorkspaceSize(void *handle, void *w, void *dy, void *convolution, void *dx, int algo, size_t *bytes) {
    return workspaceSize("cudnnGetConvolutionBackwardDataWorkspaceSize", handle, Direction::BACKWARD_DATA, dx, w, convolution, dy, algo, bytes);
}

int cudnnGetConvolutionBackwardFilterWorkspaceSize(void *handle, void *x, void *dy, void *convolution, void *dw, int algo, size_t *bytes) {
    return workspaceSize("cudnnGetConvolutionBackwardFilterWorkspaceSize", handle, Direction::BACKWARD_FILTER, x, dw, convolution, dy, algo,
            bytes);
}

int cudnnConvolutionForward(void *handle, const void *alpha, void *xDesc, const void *x, void *wDesc, const void *w, void *convolution, int algo,
        void *workspace, size_t workspaceBytes, const void *beta, void *yDesc, void *y) {
    SIM_ENTER("cudnnConvolutionForward")
    Handle *on = known<Handle>(HANDLE, handle, call.name);
    Description d;
    if (on == nullptr) {
        return BAD_PARAM;
    }
    if (Status status = describe(call.name, xDesc, wDesc, convolution, yDesc, &d)) {
        return status;
    }
    library::Operands operands(call.name);
    return run(call, on, Direction::FORWARD, d, algo, {x, w, y}, alpha, beta, workspace, workspaceBytes, {}, operands);
}

int cudnnConvolutionBackwardData(void *handle, const void *alpha, void *wDesc, const void *w, void *dyDesc, const void *dy, void *convolution,
        int algo, void *workspace, size_t workspaceBytes, const void *beta, void *dxDesc, void *dx) {
    SIM_ENTER("cudnnConvolutionBackwardData")
    Handle *on = known<Handle>(HANDLE, handle, call.name);
    Description d;
    if (on == nullptr) {
        return BAD_PARAM;
    }
    if (Status status = describe(call.name, dxDesc, wDesc, convolution, dyDesc, &d)) {
        return status;
    }
    library::Operands operands(call.name);
    return run(call, on, Direction::BACKWARD_DATA, d, algo, {dx, w, dy}, alpha, beta, workspace, workspaceBytes, {}, operands);
}

int cudnnConvolutionBackwardFilter(void *handle, const void *alpha, void *xDesc, const void *x, void *dyDesc, const void *dy, void *convolution,
        int algo, void *workspace, size_t workspaceBytes, const void *beta, void *dwDesc, void *dw) {
    SIM_ENTER("cudnnConvolutionBackwardFilter")
    Handle *on = known<Handle>(HANDLE, handle, call.name);
    Description d;
    if (on == nullptr) {
        return BAD_PARAM;
    }
    if (Status status = describe(call.name, xDesc, dwDesc, convolution, dyDesc, &d)) {
        return status;
    }
    library::Operands operands(call.name);
    return run(call, on, Direction::BACKWARD_FILTER, d, algo, {x, dw, dy}, alpha, beta, workspace, workspaceBytes, {}, operands);
}

int cudnnConvolutionBiasActivationForward(void *handle, const void *alpha1, void *xDesc, const void *x, void *wDesc, const void *w,
        void *convolution, int algo, void *workspace, size_t workspaceBytes, const void *alpha2, void *zDesc, const void *z, void *biasDesc,
        const void *bias, void *activationDesc, void *yDesc, void *y) {
    SIM_ENTER("cudnnConvolutionBiasActivationForward")
    Handle *on = known<Handle>(HANDLE, handle, call.name);
    Description d;
    if (on == nullptr) {
        return BAD_PARAM;
    }
    if (Status status = describe(call.name, xDesc, wDesc, convolution, yDesc, &d)) {
        return status;
    }
    const Tensor *zShape = filled<Tensor>(TENSOR, zDesc, call.name), *biasShape = filled<Tensor>(TENSOR, biasDesc, call.name);
    const Activation *activation = filled<Activation>(ACTIVATION, activationDesc, call.name);
    if (zShape == nullptr || biasShape == nullptr || activation == nullptr || alpha2 == nullptr || z == nullptr || bias == nullptr) {
        return failed(BAD_PARAM, "%s: a null pointer, or a descriptor that was never set", call.name);
    }
    if (!zShape->sameLayout(d.y) || zShape->type != d.y.type) {
        return failed(BAD_PARAM, "%s: z differs from y in shape, strides or type", call.name);
    }
    for (int i = 0; i < biasShape->rank; i++) {
        if (biasShape->rank != 4 || biasShape->dims[i] != (i == 1 ? d.w.dims[0] : 1)) {
            return failed(BAD_PARAM, "%s: the bias is not of the form [1, %ld, 1, 1]", call.name, long(d.w.dims[0]));
        }
    }
    if (biasShape->type != d.y.type || biasShape->strides[1] != 1) {
        return failed(NOT_SUPPORTED, "%s: a bias of data type %d and channel stride %ld", call.name, biasShape->type, long(biasShape->strides[1]));
    }
    if (activation->mode != RELU && activation->mode != IDENTITY) {
        return failed(NOT_SUPPORTED, "%s: only RELU and IDENTITY, not activation %d", call.name, activation->mode);
    }
    if (activation->mode == IDENTITY && algo != 1) {
        return failed(NOT_SUPPORTED, "%s: IDENTITY goes with IMPLICIT_PRECOMP_GEMM only", call.name);
    }
    library::Operands operands(call.name);
    int64_t width = bytesOf(d.y.type);
    operands.in("bias", bias, d.w.dims[0] * width, width);
    if (!operands.host("alpha2", alpha2, 4)) {
        return EXECUTION_FAILED;
    }
    Epilogue epilogue{true, scalar(alpha2, d.y.type), z, bias, *activation};
    if (epilogue.alpha2 != 0) {
        operands.in("z", z, bytesOf(*zShape), width);
        operands.inPlace(z);
    }
    return run(call, on, Direction::FORWARD, d, algo, {x, w, y}, alpha1, nullptr, workspace, workspaceBytes, epilogue, operands);
}

int cudnnConvolutionBackwardBias(void *handle, const void *alpha, void *dyDesc, const void *dy, const void *beta, void *dbDesc, void *db) {
    SIM_ENTER("cudnnConvolutionBackwardBias")
    Handle *on = known<Handle>(HANDLE, handle, call.name);
    const Tensor *from = filled<Tensor>(TENSOR, dyDesc, call.name), *to = filled<Tensor>(TENSOR, dbDesc, call.name);
    if (on == nullptr || from == nullptr || to == nullptr || alpha == nullptr || beta == nullptr || dy == nullptr || db == nullptr) {
        return failed(BAD_PARAM, "%s: a null pointer, or a descriptor that was never set", call.name);
    }
    if (!library::ready(call.name, on->place)) {
        return EXECUTION_FAILED;
    }
    for (int i = 0; i < to->rank; i++) {
        if (to->rank != from->rank || to->dims[i] != (i == 1 ? from->dims[1] : 1)) {
            return failed(BAD_PARAM, "%s: db is not of the form [1, %ld, 1, 1]", call.name, long(from->dims[1]));
        }
    }
    if (to->type != from->type) {
        return failed(BAD_PARAM, "%s: data types of dy and db: %d, %d", call.name, from->type, to->type);
    }
    Format format;
    if (from->rank != 4 || !formatOf(from->type, &format)) {
        return failed(NOT_SUPPORTED, "%s: data type %d", call.name, from->type);
    }
    library::Operands operands(call.name);
    int64_t width = bytesOf(from->type);
    operands.in("dy", dy, bytesOf(*from), width);
    operands.out("db", db, bytesOf(*to), width);
    if (!operands.host("alpha", alpha, 4) || !operands.host("beta", beta, 4) || !operands.valid()) {
        return EXECUTION_FAILED;
    }
    float scale = scalar(alpha, from->type), keep = scalar(beta, from->type);
    Tensor shape = *from;
    int64_t stride = to->strides[1], batch = call.fault == SIM_HALF ? shape.dims[0] / 2 : shape.dims[0];
    bool queued = library::enqueue(call, on->place, operands, [=] {
        Image image(shape);
        std::vector<double> sums(size_t(image.channels), 0.0);
        std::vector<float> values, results(size_t(image.channels));
        for (int64_t n = 0; n < batch; n++) {
            image.load(values, dy, n);
            for (size_t i = 0; i < values.size(); i++) {
                sums[i % size_t(image.channels)] += values[i];
            }
        }
        std::copy(sums.begin(), sums.end(), results.begin());
        arithmetic::blend(db, image.format, 0, stride, results.data(), image.channels, scale, keep);
    });
    return queued ? SUCCESS : EXECUTION_FAILED;
}

}  // extern "C"
