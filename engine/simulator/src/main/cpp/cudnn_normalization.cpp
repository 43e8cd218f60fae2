// Batch normalization of the double of cuDNN.
#include "cudnn_double.h"

namespace cudnn {

namespace {

/** Numbers of images beyond which the library refuses. */
constexpr int64_t MAX_TRAINING_IMAGES = 880801, MAX_INFERENCE_IMAGES = 65535;

/** Of what stands at the head of the reserve space, so that a backward call can tell whether its forward call filled it. */
constexpr uint64_t RESERVE_MARK = 0x7e50a3d1c0de9b17ull;

struct NormShape {
    Tensor x;
    int mode = SPATIAL;
    int ops = OPS_BN;
    double epsilon = 0;

    /** Number of scales. */
    int64_t features() const {
        int64_t count = x.dims[1];
        for (int i = 2; i < x.rank && mode == PER_ACTIVATION; i++) {
            count *= x.dims[i];
        }
        return count;
    }

    int64_t feature(int64_t pixel, int64_t channel) const {
        return mode == PER_ACTIVATION ? channel * x.dims[2] * x.dims[3] + pixel : channel;
    }

    int64_t population() const {
        return x.elements() / features();
    }
};

bool semiPersistent(const NormShape &s) {
    return s.mode == SPATIAL_PERSISTENT && s.x.channelsLast();
}

int64_t maskBytes(const NormShape &s) {
    return s.ops == OPS_BN ? 0 : (s.x.elements() + 7) / 8;
}

int64_t reserveBytes(const NormShape &s) {
    return semiPersistent(s) ? 64 + maskBytes(s) : 0;
}

int64_t workspaceBytes(const NormShape &s) {
    return semiPersistent(s) ? 4096 + s.features() * 16 : 0;
}

Status describe(const char *call, int mode, int ops, const Tensor *x, const Tensor *parameters, double epsilon, NormShape *to) {
    if (x == nullptr || parameters == nullptr || mode < PER_ACTIVATION || mode > SPATIAL_PERSISTENT || ops < OPS_BN
            || ops > OPS_BN_ADD_ACTIVATION || !(epsilon >= 0)) {
        return failed(BAD_PARAM, "%s: mode=%d, ops=%d, epsilon=%g, or a descriptor that was never set", call, mode, ops, epsilon);
    }
    if (x->rank != parameters->rank || x->rank < 4 || x->rank > 5) {
        return failed(BAD_PARAM, "%s: %d dimensions, parameters of %d", call, x->rank, parameters->rank);
    }
    for (int i = 0; i < x->rank; i++) {
        bool kept = i == 1 || (i > 1 && mode == PER_ACTIVATION);
        if (parameters->dims[i] != (kept ? x->dims[i] : 1)) {
            return failed(BAD_PARAM, "%s: parameters have %ld in dimension %d, the images %ld", call, long(parameters->dims[i]), i, long(x->dims[i]));
        }
    }
    Format format;
    if (!formatOf(x->type, &format) || parameters->type != (x->type == DOUBLE ? DOUBLE : FLOAT)) {
        return failed(BAD_PARAM, "%s: images of data type %d with parameters of data type %d", call, x->type, parameters->type);
    }
    if (x->rank != 4 || x->type == DOUBLE) {
        return failed(NOT_SUPPORTED, "%s: the double of cuDNN normalizes single precision and below, in two dimensions", call);
    }
    to->x = *x;
    to->mode = mode;
    to->ops = ops;
    to->epsilon = epsilon;
    return SUCCESS;
}

/** What the extended calls ask for when an activation is fused in. */
Status fusable(const char *call, const NormShape &s, const Activation *activation) {
    if (s.ops == OPS_BN) {
        return SUCCESS;
    }
    if (s.mode != SPATIAL_PERSISTENT || s.x.type != HALF || !s.x.channelsLast() || (s.ops == OPS_BN_ADD_ACTIVATION && s.x.dims[1] % 4 != 0)) {
        return failed(NOT_SUPPORTED, "%s: an activation is fused for half NHWC images in mode SPATIAL_PERSISTENT only, with a sum only for channels in fours", call);
    }
    if (activation == nullptr) {
        return failed(BAD_PARAM, "%s: the activation is missing", call);
    }
    if (activation->mode != RELU) {
        return failed(NOT_SUPPORTED, "%s: only RELU is fused, not activation %d", call, activation->mode);
    }
    return SUCCESS;
}

/** What the forward and the backward call must agree in. */
uint64_t agreement(const NormShape &s) {
    uint64_t hash = RESERVE_MARK;
    auto add = [&](uint64_t value) { hash = (hash ^ value) * 0x100000001b3ull; };
    for (int i = 0; i < s.x.rank; i++) {
        add(uint64_t(s.x.dims[size_t(i)]));
    }
    uint64_t epsilon;
    std::memcpy(&epsilon, &s.epsilon, sizeof epsilon);
    add(epsilon);
    add(uint64_t(s.x.type));
    add(uint64_t(s.mode * 8 + s.ops));
    return hash;
}

Status images(const char *call, const Tensor *a, const Tensor *b, const char *what) {
    if (a == nullptr || b == nullptr || !a->sameDims(*b) || a->type != b->type) {
        return failed(BAD_PARAM, "%s: %s differs from x in shape or data type", call, what);
    }
    return SUCCESS;
}

/** The persistent kernels take all tensors as NHWC, without gaps, or none. */
Status oneLayout(const char *call, const NormShape &s, std::initializer_list<const Tensor *> others) {
    for (const Tensor *other : others) {
        if (s.mode == SPATIAL_PERSISTENT && s.x.channelsLast() != other->channelsLast()) {
            return failed(BAD_PARAM, "%s: of the images some are NHWC and some are not", call);
        }
    }
    return SUCCESS;
}

/** Calls body(image values, n) for every image. */
template <class Body>
void eachImage(const Tensor &shape, const void *data, Body body) {
    Image image(shape);
    std::vector<float> values;
    for (int64_t n = 0; n < shape.dims[0]; n++) {
        image.load(values, data, n);
        body(values, n);
    }
}

struct Statistics {
    std::vector<double> mean, variance;
};

Statistics statistics(const NormShape &s, const void *x) {
    int64_t features = s.features(), channels = s.x.dims[1];
    Statistics result{std::vector<double>(size_t(features), 0.0), std::vector<double>(size_t(features), 0.0)};
    double count = double(s.population());
    auto pass = [&](std::vector<double> &sums, bool squares) {
        eachImage(s.x, x, [&](const std::vector<float> &values, int64_t) {
            for (size_t i = 0; i < values.size(); i++) {
                size_t f = size_t(s.feature(int64_t(i) / channels, int64_t(i) % channels));
                double value = squares ? values[i] - result.mean[f] : values[i];
                sums[f] += squares ? value * value : value;
            }
        });
        for (double &sum : sums) {
            sum /= count;
        }
    };
    pass(result.mean, false);
    pass(result.variance, true);
    return result;
}

struct Forward {
    const void *x, *z, *scale, *bias;
    void *y, *runningMean, *runningVariance, *savedMean, *savedInverse;
    Tensor zShape, yShape;
    float alpha, beta;
    double factor;
    unsigned char *reserve;
};

float *floats(void *data) {
    return static_cast<float *>(data);
}

const float *floats(const void *data) {
    return static_cast<const float *>(data);
}

/** y from mean and 1 / deviation; remembers in the reserve space which outputs the activation let pass. */
void normalize(const NormShape &s, const Forward &f, const std::vector<double> &mean, const std::vector<double> &inverse) {
    int64_t channels = s.x.dims[1];
    Image out(f.yShape);
    std::vector<float> result, added;
    unsigned char *mask = f.reserve == nullptr ? nullptr : f.reserve + 64;
    if (mask != nullptr) {
        std::memset(mask, 0, size_t(maskBytes(s)));
    }
    eachImage(s.x, f.x, [&](const std::vector<float> &values, int64_t n) {
        result.resize(values.size());
        if (s.ops == OPS_BN_ADD_ACTIVATION) {
            Image(f.zShape).load(added, f.z, n);
        }
        for (size_t i = 0; i < values.size(); i++) {
            size_t at = size_t(s.feature(int64_t(i) / channels, int64_t(i) % channels));
            double value = (values[i] - mean[at]) * inverse[at] * floats(f.scale)[at] + floats(f.bias)[at];
            if (s.ops != OPS_BN) {
                value += added.empty() ? 0 : added[i];
                size_t bit = size_t(n) * values.size() + i;
                if (value > 0) {
                    mask[bit / 8] |= (unsigned char) (1 << (bit % 8));
                } else {
                    value = 0;
                }
            }
            result[i] = float(value);
        }
        out.blend(f.y, n, result.data(), f.alpha, f.beta);
    });
}

void train(const NormShape &s, const Forward &f) {
    Statistics stats = statistics(s, f.x);
    int64_t features = s.features();
    double count = double(s.population()), unbiased = count > 1 ? count / (count - 1) : 1;
    std::vector<double> inverse(size_t(features), 0.0);
    for (int64_t i = 0; i < features; i++) {
        size_t at = size_t(i);
        inverse[at] = 1 / std::sqrt(stats.variance[at] + s.epsilon);
        if (f.runningMean != nullptr) {
            // With a factor of 1 the old value is not read.
            double oldMean = f.factor == 1 ? 0 : floats(f.runningMean)[i] * (1 - f.factor);
            double oldVariance = f.factor == 1 ? 0 : floats(f.runningVariance)[i] * (1 - f.factor);
            floats(f.runningMean)[i] = float(stats.mean[at] * f.factor + oldMean);
            floats(f.runningVariance)[i] = float(stats.variance[at] * unbiased * f.factor + oldVariance);
        }
        if (f.savedMean != nullptr) {
            floats(f.savedMean)[i] = float(stats.mean[at]);
            floats(f.savedInverse)[i] = float(inverse[at]);
        }
    }
    if (f.reserve != nullptr) {
        uint64_t agreed = agreement(s);
        std::memcpy(f.reserve, &agreed, sizeof agreed);
    }
    normalize(s, f, stats.mean, inverse);
}

struct Backward {
    const void *x, *dy, *scale, *savedMean, *savedInverse;
    void *dx, *dz, *dScale, *dBias;
    Tensor dyShape, dxShape, dzShape;
    float alpha, beta, alphaParameters, betaParameters;
    const unsigned char *reserve;
};

void differentiate(const char *call, const NormShape &s, const Backward &b) {
    int64_t features = s.features(), channels = s.x.dims[1];
    const unsigned char *mask = b.reserve == nullptr ? nullptr : b.reserve + 64;
    uint64_t agreed = agreement(s);
    if (b.reserve != nullptr && std::memcmp(b.reserve, &agreed, sizeof agreed) != 0) {
        sim_violation("%s: the reserve space is not as a forward call of these sizes, this mode and epsilon left it", call);
        return;
    }
    std::vector<double> mean(size_t(features), 0.0), inverse(size_t(features), 0.0);
    if (b.savedMean != nullptr) {
        std::copy(floats(b.savedMean), floats(b.savedMean) + features, mean.begin());
        std::copy(floats(b.savedInverse), floats(b.savedInverse) + features, inverse.begin());
    } else {
        Statistics stats = statistics(s, b.x);
        mean = stats.mean;
        for (size_t i = 0; i < inverse.size(); i++) {
            inverse[i] = 1 / std::sqrt(stats.variance[i] + s.epsilon);
        }
    }
    std::vector<double> sum(size_t(features), 0.0), product(size_t(features), 0.0);
    Image gradientImage(b.dyShape), resultImage(b.dxShape);
    std::vector<float> gradient, result;
    auto slopes = [&](int64_t n, size_t count) {
        gradientImage.load(gradient, b.dy, n);
        for (size_t i = 0; i < count && s.ops != OPS_BN; i++) {
            size_t bit = size_t(n) * count + i;
            if ((mask[bit / 8] >> (bit % 8) & 1) == 0) {
                gradient[i] = 0;
            }
        }
    };
    eachImage(s.x, b.x, [&](const std::vector<float> &values, int64_t n) {
        slopes(n, values.size());
        for (size_t i = 0; i < values.size(); i++) {
            size_t at = size_t(s.feature(int64_t(i) / channels, int64_t(i) % channels));
            sum[at] += gradient[i];
            product[at] += gradient[i] * (values[i] - mean[at]) * inverse[at];
        }
    });
    double count = double(s.population());
    eachImage(s.x, b.x, [&](const std::vector<float> &values, int64_t n) {
        slopes(n, values.size());
        result.resize(values.size());
        for (size_t i = 0; i < values.size(); i++) {
            size_t at = size_t(s.feature(int64_t(i) / channels, int64_t(i) % channels));
            double normal = (values[i] - mean[at]) * inverse[at];
            result[i] = float(floats(b.scale)[at] * inverse[at] * (gradient[i] - sum[at] / count - normal * product[at] / count));
        }
        if (s.ops == OPS_BN_ADD_ACTIVATION) {
            Image(b.dzShape).blend(b.dz, n, gradient.data(), 1, 0);
        }
        resultImage.blend(b.dx, n, result.data(), b.alpha, b.beta);
    });
    std::vector<float> dScale(product.begin(), product.end()), dBias(sum.begin(), sum.end());
    arithmetic::blend(b.dScale, Format::F32, 0, 1, dScale.data(), features, b.alphaParameters, b.betaParameters);
    arithmetic::blend(b.dBias, Format::F32, 0, 1, dBias.data(), features, b.alphaParameters, b.betaParameters);
}

bool both(const void *a, const void *b) {
    return (a == nullptr) == (b == nullptr);
}

int forwardTraining(const SimCall &call, void *handle, int mode, int ops, const void *alpha, const void *beta, void *xDesc, const void *x,
        void *zDesc, const void *z, void *yDesc, void *y, void *parameterDesc, const void *scale, const void *bias, double factor,
        void *runningMean, void *runningVariance, double epsilon, void *savedMean, void *savedInverse, void *activationDesc, bool extended,
        void *workspace, size_t workspaceSize, void *reserve, size_t reserveSize) {
    const char *name = call.name;
    Handle *on = known<Handle>(HANDLE, handle, name);
    const Tensor *from = filled<Tensor>(TENSOR, xDesc, name), *to = filled<Tensor>(TENSOR, yDesc, name);
    const Tensor *parameters = filled<Tensor>(TENSOR, parameterDesc, name);
    if (on == nullptr || alpha == nullptr || beta == nullptr || x == nullptr || y == nullptr || scale == nullptr || bias == nullptr
            || !both(runningMean, runningVariance) || !both(savedMean, savedInverse)) {
        return failed(BAD_PARAM, "%s: a null pointer, or one of a pair without the other", name);
    }
    NormShape s;
    if (Status status = describe(name, mode, ops, from, parameters, epsilon, &s)) {
        return status;
    }
    if (Status status = images(name, to, from, "y")) {
        return status;
    }
    if (Status status = oneLayout(name, s, {to})) {
        return status;
    }
    const Tensor *added = nullptr;
    const Activation *activation = ops == OPS_BN ? nullptr : filled<Activation>(ACTIVATION, activationDesc, name);
    if (Status status = fusable(name, s, activation)) {
        return status;
    }
    if (ops == OPS_BN_ADD_ACTIVATION) {
        added = filled<Tensor>(TENSOR, zDesc, name);
        if (Status status = images(name, added, from, "z")) {
            return status;
        }
        if (z == nullptr || !added->channelsLast()) {
            return failed(BAD_PARAM, "%s: z is missing or not NHWC", name);
        }
    }
    if (from->dims[0] > MAX_TRAINING_IMAGES) {
        return failed(NOT_SUPPORTED, "%s: %ld images", name, long(from->dims[0]));
    }
    // Without workspace the extended call is the plain one.
    bool reserved = extended && reserveBytes(s) > 0 && (workspace != nullptr || workspaceSize > 0 || ops != OPS_BN);
    int64_t work = reserved ? workspaceBytes(s) : 0, kept = reserved ? reserveBytes(s) : 0;
    if (int64_t(workspaceSize) < work || (work > 0 && workspace == nullptr) || int64_t(reserveSize) < kept || (kept > 0 && reserve == nullptr)) {
        return failed(BAD_PARAM, "%s: needs %ld bytes of workspace and %ld of reserve space, given %zu and %zu", name, long(work), long(kept),
                workspaceSize, reserveSize);
    }
    if (!library::ready(name, on->place)) {
        return EXECUTION_FAILED;
    }
    library::Operands operands(name);
    int64_t width = bytesOf(s.x.type), bytes = s.features() * 4;
    operands.in("x", x, bytesOf(*from), width);
    operands.out("y", y, bytesOf(*to), width);
    operands.in("scale", scale, bytes, 4);
    operands.in("bias", bias, bytes, 4);
    operands.out("running mean", runningMean, runningMean == nullptr ? 0 : bytes, 4);
    operands.out("running variance", runningVariance, runningMean == nullptr ? 0 : bytes, 4);
    operands.out("saved mean", savedMean, savedMean == nullptr ? 0 : bytes, 4);
    operands.out("saved inverse deviation", savedInverse, savedMean == nullptr ? 0 : bytes, 4);
    operands.out("workspace", workspace, work, library::WORKSPACE_ALIGNMENT);
    operands.out("reserve space", reserve, kept, 16);
    if (added != nullptr) {
        operands.in("z", z, bytesOf(*added), width);
    }
    bool scalars = operands.host("alpha", alpha, 4) && operands.host("beta", beta, 4);
    if (!operands.valid() || !scalars) {
        return EXECUTION_FAILED;
    }
    Forward f{x, z, scale, bias, y, runningMean, runningVariance, savedMean, savedInverse, added == nullptr ? *from : *added, *to,
            scalar(alpha, s.x.type), scalar(beta, s.x.type), factor, reserved ? static_cast<unsigned char *>(reserve) : nullptr};
    if (call.fault == SIM_SWAP_ARGS) {
        std::swap(f.scale, f.bias);
    }
    // Half of the work is lost: what the backward call needs.
    bool halved = call.fault == SIM_HALF;
    bool queued = library::enqueue(call, on->place, operands, [=] {
        library::spoil(workspace, size_t(work));
        train(s, f);
        if (halved) {
            library::spoil(reserve, size_t(kept));
        }
    });
    return queued ? SUCCESS : EXECUTION_FAILED;
}

int backward(const SimCall &call, void *handle, int mode, int ops, const void *alphaData, const void *betaData, const void *alphaParameters,
        const void *betaParameters, void *xDesc, const void *x, void *yDesc, const void *y, void *dyDesc, const void *dy, void *dzDesc, void *dz,
        void *dxDesc, void *dx, void *parameterDesc, const void *scale, const void *bias, void *dScale, void *dBias, double epsilon,
        const void *savedMean, const void *savedInverse, void *activationDesc, bool extended, void *workspace, size_t workspaceSize,
        void *reserve, size_t reserveSize) {
    const char *name = call.name;
    Handle *on = known<Handle>(HANDLE, handle, name);
    const Tensor *xs = filled<Tensor>(TENSOR, xDesc, name), *dys = filled<Tensor>(TENSOR, dyDesc, name);
    const Tensor *dxs = filled<Tensor>(TENSOR, dxDesc, name), *parameters = filled<Tensor>(TENSOR, parameterDesc, name);
    if (on == nullptr || alphaData == nullptr || betaData == nullptr || alphaParameters == nullptr || betaParameters == nullptr || x == nullptr
            || dy == nullptr || dx == nullptr || scale == nullptr || dScale == nullptr || dBias == nullptr || !both(savedMean, savedInverse)) {
        return failed(BAD_PARAM, "%s: a null pointer, or one of a pair without the other", name);
    }
    NormShape s;
    if (Status status = describe(name, mode, ops, xs, parameters, epsilon, &s)) {
        return status;
    }
    if (Status status = images(name, dys, xs, "dy")) {
        return status;
    }
    if (Status status = images(name, dxs, xs, "dx")) {
        return status;
    }
    if (Status status = oneLayout(name, s, {dys, dxs})) {
        return status;
    }
    const Activation *activation = ops == OPS_BN ? nullptr : filled<Activation>(ACTIVATION, activationDesc, name);
    if (Status status = fusable(name, s, activation)) {
        return status;
    }
    const Tensor *dzs = nullptr;
    if (ops != OPS_BN) {
        const Tensor *ys = filled<Tensor>(TENSOR, yDesc, name);
        if (Status status = images(name, ys, xs, "y")) {
            return status;
        }
        if (y == nullptr || bias == nullptr) {
            return failed(BAD_PARAM, "%s: y and the bias are needed with an activation", name);
        }
    }
    if (ops == OPS_BN_ADD_ACTIVATION) {
        dzs = filled<Tensor>(TENSOR, dzDesc, name);
        if (Status status = images(name, dzs, xs, "dz")) {
            return status;
        }
        if (dz == nullptr) {
            return failed(BAD_PARAM, "%s: dz is missing", name);
        }
    }
    bool reserved = extended && reserveBytes(s) > 0 && (workspace != nullptr || workspaceSize > 0 || ops != OPS_BN);
    int64_t work = reserved ? workspaceBytes(s) : 0, kept = reserved ? reserveBytes(s) : 0;
    if (int64_t(workspaceSize) < work || (work > 0 && workspace == nullptr) || int64_t(reserveSize) < kept || (kept > 0 && reserve == nullptr)) {
        return failed(BAD_PARAM, "%s: needs %ld bytes of workspace and %ld of reserve space, given %zu and %zu", name, long(work), long(kept),
                workspaceSize, reserveSize);
    }
    if (!library::ready(name, on->place)) {
        return EXECUTION_FAILED;
    }
    library::Operands operands(name);
    int64_t width = bytesOf(s.x.type), bytes = s.features() * 4;
    operands.in("x", x, bytesOf(*xs), width);
    operands.in("dy", dy, bytesOf(*dys), width);
    operands.out("dx", dx, bytesOf(*dxs), width);
    operands.in("scale", scale, bytes, 4);
    operands.out("dScale", dScale, bytes, 4);
    operands.out("dBias", dBias, bytes, 4);
    operands.in("saved mean", savedMean, savedMean == nullptr ? 0 : bytes, 4);
    operands.in("saved inverse deviation", savedInverse, savedMean == nullptr ? 0 : bytes, 4);
    operands.out("workspace", workspace, work, library::WORKSPACE_ALIGNMENT);
    operands.in("reserve space", reserve, kept, 16);
    if (dzs != nullptr) {
        operands.out("dz", dz, bytesOf(*dzs), width);
    }
    bool scalars = operands.host("alphaDataDiff", alphaData, 4) && operands.host("betaDataDiff", betaData, 4)
            && operands.host("alphaParamDiff", alphaParameters, 4) && operands.host("betaParamDiff", betaParameters, 4);
    if (!operands.valid() || !scalars) {
        return EXECUTION_FAILED;
    }
    Backward b{x, dy, scale, savedMean, savedInverse, dx, dz, dScale, dBias, *dys, *dxs, dzs == nullptr ? *xs : *dzs, scalar(alphaData, s.x.type),
            scalar(betaData, s.x.type), scalar(alphaParameters, s.x.type), scalar(betaParameters, s.x.type),
            reserved ? static_cast<const unsigned char *>(reserve) : nullptr};
    if (call.fault == SIM_SWAP_ARGS) {
        std::swap(b.dScale, b.dBias);
    }
    bool queued = library::enqueue(call, on->place, operands, [=] {
        library::spoil(workspace, size_t(work));
        differentiate(name, s, b);
    });
    return queued ? SUCCESS : EXECUTION_FAILED;
}

/** Common to the three questions for sizes. */
Status sizes(const char *name, void *handle, int mode, int ops, const Tensor *x, void *activationDesc, const size_t *bytes, NormShape *s) {
    if (known<Handle>(HANDLE, handle, name) == nullptr || x == nullptr || bytes == nullptr || mode < PER_ACTIVATION || mode > SPATIAL_PERSISTENT
            || ops < OPS_BN || ops > OPS_BN_ADD_ACTIVATION) {
        return failed(BAD_PARAM, "%s: mode=%d, ops=%d, or a null pointer", name, mode, ops);
    }
    s->x = *x;
    s->mode = mode;
    s->ops = ops;
    return fusable(name, *s, ops == OPS_BN ? nullptr : filled<Activation>(ACTIVATION, activationDesc, name));
}

}  // namespace

}  // namespace cudnn

using namespace cudnn;

SIM_ENTRY_POINTS

extern "C" {

int cudnnDeriveBNTensorDescriptor(void *derived, void *xDesc, int mode) {
    SIM_ENTER("cudnnDeriveBNTensorDescriptor")
    Tensor *to = known<Tensor>(TENSOR, derived, call.name);
    const Tensor *x = filled<Tensor>(TENSOR, xDesc, call.name);
    if (to == nullptr || x == nullptr || mode < PER_ACTIVATION || mode > SPATIAL_PERSISTENT || x->rank < 4 || x->rank > 5) {
        return failed(BAD_PARAM, "%s: mode=%d, or a descriptor that was never set", call.name, mode);
    }
    Tensor swapped = *x;
    if (call.fault == SIM_SWAP_ARGS) {
        std::swap(swapped.dims[1], swapped.dims[2]);
        x = &swapped;
    }
    Tensor made;
    made.set = true;
    made.rank = x->rank;
    made.type = x->type == DOUBLE ? DOUBLE : FLOAT;
    int64_t stride = 1;
    for (int i = made.rank - 1; i >= 0; i--) {
        made.dims[i] = i == 1 || (i > 1 && mode == PER_ACTIVATION) ? x->dims[i] : 1;
        made.strides[i] = stride;
        stride *= made.dims[i];
    }
    *to = made;
    return SUCCESS;
}

int cudnnBatchNormalizationForwardInference(void *handle, int mode, const void *alpha, const void *beta, void *xDesc, const void *x, void *yDesc,
        void *y, void *parameterDesc, const void *scale, const void *bias, const void *mean, const void *variance, double epsilon) {
    SIM_ENTER("cudnnBatchNormalizationForwardInference")
    Handle *on = known<Handle>(HANDLE, handle, call.name);
    const Tensor *from = filled<Tensor>(TENSOR, xDesc, call.name), *to = filled<Tensor>(TENSOR, yDesc, call.name);
    const Tensor *parameters = filled<Tensor>(TENSOR, parameterDesc, call.name);
    if (on == nullptr || alpha == nullptr || beta == nullptr || x == nullptr || y == nullptr || scale == nullptr || bias == nullptr
            || mean == nullptr || variance == nullptr) {
        return failed(BAD_PARAM, "%s: a null pointer", call.name);
    }
    NormShape s;
    if (Status status = describe(call.name, mode, OPS_BN, from, parameters, epsilon, &s)) {
        return status;
    }
    if (Status status = images(call.name, to, from, "y")) {
        return status;
    }
    if (from->dims[0] > MAX_INFERENCE_IMAGES) {
        return failed(NOT_SUPPORTED, "%s: %ld images", call.name, long(from->dims[0]));
    }
    if (!library::ready(call.name, on->place)) {
        return EXECUTION_FAILED;
    }
    library::Operands operands(call.name);
    int64_t width = bytesOf(s.x.type), bytes = s.features() * 4;
    operands.in("x", x, bytesOf(*from), width);
    operands.out("y", y, bytesOf(*to), width);
    operands.in("scale", scale, bytes, 4);
    operands.in("bias", bias, bytes, 4);
    operands.in("mean", mean, bytes, 4);
    operands.in("variance", variance, bytes, 4);
    if (from->sameLayout(*to)) {
        operands.inPlace(x);
    }
    bool scalars = operands.host("alpha", alpha, 4) && operands.host("beta", beta, 4);
    if (!operands.valid() || !scalars) {
        return EXECUTION_FAILED;
    }
    Forward f{x, nullptr, scale, bias, y, nullptr, nullptr, nullptr, nullptr, *from, *to, scalar(alpha, s.x.type), scalar(beta, s.x.type), 0, nullptr};
    if (call.fault == SIM_SWAP_ARGS) {
        std::swap(f.scale, f.bias);
    }
    bool queued = library::enqueue(call, on->place, operands, [=] {
        int64_t features = s.features();
        std::vector<double> centre(floats(mean), floats(mean) + features), inverse;
        for (int64_t i = 0; i < features; i++) {
            inverse.push_back(1 / std::sqrt(floats(variance)[i] + s.epsilon));
        }
        normalize(s, f, centre, inverse);
    });
    return queued ? SUCCESS : EXECUTION_FAILED;
}

int cudnnBatchNormalizationForwardTraining(void *handle, int mode, const void *alpha, const void *beta, void *xDesc, const void *x, void *yDesc,
        void *y, void *parameterDesc, const void *scale, const void *bias, double factor, void *runningMean, void *runningVariance,
        double epsilon, void *savedMean, void *savedInverse) {
    SIM_ENTER("cudnnBatchNormalizationForwardTraining")
    return forwardTraining(call, handle, mode, OPS_BN, alpha, beta, xDesc, x, nullptr, nullptr, yDesc, y, parameterDesc, scale, bias, factor,
            runningMean, runningVariance, epsilon, savedMean, savedInverse, nullptr, false, nullptr, 0, nullptr, 0);
}

int cudnnBatchNormalizationForwardTrainingEx(void *handle, int mode, int ops, const void *alpha, const void *beta, void *xDesc, const void *x,
        void *zDesc, const void *z, void *yDesc, void *y, void *parameterDesc, const void *scale, const void *bias, double factor,
        void *runningMean, void *runningVariance, double epsilon, void *savedMean, void *savedInverse, void *activationDesc, void *workspace,
        size_t workspaceSize, void *reserve, size_t reserveSize) {
    SIM_ENTER("cudnnBatchNormalizationForwardTrainingEx")
    return forwardTraining(call, handle, mode, ops, alpha, beta, xDesc, x, zDesc, z, yDesc, y, parameterDesc, scale, bias, factor, runningMean,
            runningVariance, epsilon, savedMean, savedInverse, activationDesc, true, workspace, workspaceSize, reserve, reserveSize);
}

int cudnnBatchNormalizationBackward(void *handle, int mode, const void *alphaData, const void *betaData, const void *alphaParameters,
        const void *betaParameters, void *xDesc, const void *x, void *dyDesc, const void *dy, void *dxDesc, void *dx, void *parameterDesc,
        const void *scale, void *dScale, void *dBias, double epsilon, const void *savedMean, const void *savedInverse) {
    SIM_ENTER("cudnnBatchNormalizationBackward")
    return backward(call, handle, mode, OPS_BN, alphaData, betaData, alphaParameters, betaParameters, xDesc, x, nullptr, nullptr, dyDesc, dy,
            nullptr, nullptr, dxDesc, dx, parameterDesc, scale, nullptr, dScale, dBias, epsilon, savedMean, savedInverse, nullptr, false, nullptr,
            0, nullptr, 0);
}

int cudnnBatchNormalizationBackwardEx(void *handle, int mode, int ops, const void *alphaData, const void *betaData, const void *alphaParameters,
        const void *betaParameters, void *xDesc, const void *x, void *yDesc, const void *y, void *dyDesc, const void *dy, void *dzDesc, void *dz,
        void *dxDesc, void *dx, void *parameterDesc, const void *scale, const void *bias, void *dScale, void *dBias, double epsilon,
        const void *savedMean, const void *savedInverse, void *activationDesc, void *workspace, size_t workspaceSize, void *reserve,
        size_t reserveSize) {
    SIM_ENTER("cudnnBatchNormalizationBackwardEx")
    return backward(call, handle, mode, ops, alphaData, betaData, alphaParameters, betaParameters, xDesc, x, yDesc, y, dyDesc, dy, dzDesc, dz,
            dxDesc, dx, parameterDesc, scale, bias, dScale, dBias, epsilon, savedMean, savedInverse, activationDesc, true, workspace,
            workspaceSize, reserve, reserveSize);
}

int cudnnGetBatchNormalizationForwardTrainingExWorkspaceSize(void *handle, int mode, int ops, void *xDesc, void *zDesc, void *yDesc,
        void *parameterDesc, void *activationDesc, size_t *bytes) {
    SIM_ENTER("cudnnGetBatchNormalizationForwardTrainingExWorkspaceSize")
    const Tensor *x = filled<Tensor>(TENSOR, xDesc, call.name);
    if (filled<Tensor>(TENSOR, yDesc, call.name) == nullptr || filled<Tensor>(TENSOR, parameterDesc, call.name) == nullptr
            || (ops == OPS_BN_ADD_ACTIVATION && filled<Tensor>(TENSOR, zDesc, call.name) == nullptr)) {
        return failed(BAD_PARAM, "%s: a descriptor that was never set", call.name);
    }
    NormShape s;
    if (Status status = sizes(call.name, handle, mode, ops, x, activationDesc, bytes, &s)) {
        return status;
    }
    *bytes = size_t(workspaceBytes(s));
    return SUCCESS;
}

int cudnnGetBatchNormalizationBackwardExWorkspaceSize(void *handle, int mode, int ops, void *xDesc, void *yDesc, void *dyDesc, void *dzDesc,
        void *dxDesc, void *parameterDesc, void *activationDesc, size_t *bytes) {
    SIM_ENTER("cudnnGetBatchNormalizationBackwardExWorkspaceSize")
    const Tensor *x = filled<Tensor>(TENSOR, xDesc, call.name);
    if (filled<Tensor>(TENSOR, dyDesc, call.name) == nullptr || filled<Tensor>(TENSOR, dxDesc, call.name) == nullptr
            || filled<Tensor>(TENSOR, parameterDesc, call.name) == nullptr
            || (ops != OPS_BN && filled<Tensor>(TENSOR, yDesc, call.name) == nullptr)
            || (ops == OPS_BN_ADD_ACTIVATION && filled<Tensor>(TENSOR, dzDesc, call.name) == nullptr)) {
        return failed(BAD_PARAM, "%s: a descriptor that was never set", call.name);
    }
    NormShape s;
    if (Status status = sizes(call.name, handle, mode, ops, x, activationDesc, bytes, &s)) {
        return status;
    }
    *bytes = size_t(workspaceBytes(s));
    return SUCCESS;
}

int cudnnGetBatchNormalizationTrainingExReserveSpaceSize(void *handle, int mode, int ops, void *activationDesc, void *xDesc, size_t *bytes) {
    SIM_ENTER("cudnnGetBatchNormalizationTrainingExReserveSpaceSize")
    NormShape s;
    if (Status status = sizes(call.name, handle, mode, ops, filled<Tensor>(TENSOR, xDesc, call.name), activationDesc, bytes, &s)) {
        return status;
    }
    *bytes = size_t(call.fault == SIM_HALF ? reserveBytes(s) / 2 : reserveBytes(s));
    return SUCCESS;
}

}  // extern "C"
