// Optimizer updates of all parameters in one launch. Parameters are cut into chunks, one to a block, so that a few large and many small ones keep the device equally busy.

// Mirrored by tenon.engine.backend.cuda.CudaUpdates. Addresses are multiples of 16; unused ones are null.
struct Parameter {
    float *weight;
    const float *grad;
    float *first;
    float *second;
    // The weight in BF16, written in the same pass.
    bf16 *copy;
    int64 count;
    float decay;
    float rateScale;
};

#define CHUNK 8192

// Below the smallest normal float, state is 0.
__device__ __forceinline__ float flush(float x) { return fabsf(x) < 1.17549435e-38f ? 0 : x; }

// Loads, f(weight, grad, first, second), stores for N neighbours; states that are null are neither read nor written.
template <int N, bool FIRST, bool SECOND, typename F>
__device__ __forceinline__ void updateAt(const Parameter &p, int64 i, F f) {
    float w[N];
    float g[N];
    float a[N];
    float b[N];
    load(p.weight + i, w);
    load(p.grad + i, g);
    if (FIRST) {
        load(p.first + i, a);
    }
    if (SECOND) {
        load(p.second + i, b);
    }
#pragma unroll
    for (int j = 0; j < N; j++) {
        f(w[j], g[j], a[j], b[j]);
    }
    store(p.weight + i, w);
    if (FIRST) {
        store(p.first + i, a);
    }
    if (SECOND) {
        store(p.second + i, b);
    }
    if (p.copy != nullptr) {
        store(p.copy + i, w);
    }
}

// The factor of all gradients: rescale, and clip[0] where gradients are clipped.
__device__ __forceinline__ float scaleOf(float rescale, const float *clip) { return clip == nullptr ? rescale : rescale * *clip; }

// One block to a chunk {parameter, number within it}; nothing is done where *guard is set. makeRule(parameter) gives f.
template <bool FIRST, bool SECOND, typename Make>
__device__ __forceinline__ void update(const Parameter *parameters, const int2 *chunks, const int *guard, Make makeRule) {
    if (*guard != 0) {
        return;
    }
    int2 chunk = chunks[blockIdx.x];
    Parameter p = parameters[chunk.x];
    auto rule = makeRule(p);
    int64 from = (int64)chunk.y * CHUNK;
    int64 to = p.count < from + CHUNK ? p.count : from + CHUNK;
    int64 vectorEnd = to - (to - from) % 4;
    for (int64 i = from + 4 * (int64)threadIdx.x; i < vectorEnd; i += 4 * (int64)blockDim.x) {
        updateAt<4, FIRST, SECOND>(p, i, rule);
    }
    for (int64 i = vectorEnd + threadIdx.x; i < to; i += blockDim.x) {
        updateAt<1, FIRST, SECOND>(p, i, rule);
    }
}

// now[0] is the rate. 12 bytes per element, 14 with a BF16 copy.
TENON_KERNEL(
    sgd, const Parameter *parameters, const int2 *chunks, const float *now, const int *guard, const float *clip, float rescale) {
    update<false, false>(parameters, chunks, guard, [=](const Parameter &p) {
        float rate = now[0] * p.rateScale;
        float scale = scaleOf(rescale, clip);
        float decay = p.decay;
        return [=](float &w, float g, float &, float &) { w -= rate * (scale * g + decay * w); };
    });
}

// 20 bytes per element, 22 with a BF16 copy.
TENON_KERNEL(
    sgd_momentum, const Parameter *parameters, const int2 *chunks, const float *now, const int *guard, const float *clip,
    float momentum, float rescale) {
    update<true, false>(parameters, chunks, guard, [=](const Parameter &p) {
        float rate = now[0] * p.rateScale;
        float scale = scaleOf(rescale, clip);
        float decay = p.decay;
        return [=](float &w, float g, float &velocity, float &) {
            velocity = flush(momentum * velocity + (scale * g + decay * w));
            w -= rate * velocity;
        };
    });
}

TENON_KERNEL(
    sgd_nesterov, const Parameter *parameters, const int2 *chunks, const float *now, const int *guard, const float *clip,
    float momentum, float rescale) {
    update<true, false>(parameters, chunks, guard, [=](const Parameter &p) {
        float rate = now[0] * p.rateScale;
        float scale = scaleOf(rescale, clip);
        float decay = p.decay;
        return [=](float &w, float g, float &velocity, float &) {
            float gradient = scale * g + decay * w;
            velocity = flush(momentum * velocity + gradient);
            w -= rate * (gradient + momentum * velocity);
        };
    });
}

// now[1] and now[2] are 1 / (1 - beta^t) of both moments. 28 bytes per element, 30 with a BF16 copy.
template <bool DECOUPLED>
__device__ __forceinline__ void adamUpdate(
    const Parameter *parameters,
    const int2 *chunks,
    const float *now,
    const int *guard,
    const float *clip,
    float beta1,
    float beta2,
    float epsilon,
    float rescale) {
    update<true, true>(parameters, chunks, guard, [=](const Parameter &p) {
        float rate = now[0] * p.rateScale;
        float scale = scaleOf(rescale, clip);
        float correction1 = now[1];
        float correction2 = now[2];
        float decay = DECOUPLED ? 0 : p.decay;
        float shrink = DECOUPLED ? 1 - rate * p.decay : 1;
        return [=](float &w, float g, float &m, float &v) {
            float gradient = scale * g + decay * w;
            m = flush(beta1 * m + (1 - beta1) * gradient);
            v = flush(beta2 * v + (1 - beta2) * (gradient * gradient));
            w = shrink * w - rate * (m * correction1) / (sqrtf(v * correction2) + epsilon);
        };
    });
}

TENON_KERNEL(
    adam, const Parameter *parameters, const int2 *chunks, const float *now, const int *guard, const float *clip, float beta1,
    float beta2, float epsilon, float rescale) {
    adamUpdate<false>(parameters, chunks, now, guard, clip, beta1, beta2, epsilon, rescale);
}

TENON_KERNEL(
    adam_decoupled, const Parameter *parameters, const int2 *chunks, const float *now, const int *guard, const float *clip,
    float beta1, float beta2, float epsilon, float rescale) {
    adamUpdate<true>(parameters, chunks, now, guard, clip, beta1, beta2, epsilon, rescale);
}

// 20 bytes per element, 22 with a BF16 copy; first is the average of squares.
TENON_KERNEL(
    rmsprop, const Parameter *parameters, const int2 *chunks, const float *now, const int *guard, const float *clip,
    float smoothing, float epsilon, float rescale) {
    update<true, false>(parameters, chunks, guard, [=](const Parameter &p) {
        float rate = now[0] * p.rateScale;
        float scale = scaleOf(rescale, clip);
        float decay = p.decay;
        return [=](float &w, float g, float &square, float &) {
            float gradient = scale * g + decay * w;
            square = flush(smoothing * square + (1 - smoothing) * (gradient * gradient));
            w -= rate * (gradient / (sqrtf(square) + epsilon));
        };
    });
}

// 28 bytes per element, 30 with a BF16 copy; second is the momentum's buffer.
TENON_KERNEL(
    rmsprop_momentum, const Parameter *parameters, const int2 *chunks, const float *now, const int *guard, const float *clip,
    float smoothing, float epsilon, float momentum, float rescale) {
    update<true, true>(parameters, chunks, guard, [=](const Parameter &p) {
        float rate = now[0] * p.rateScale;
        float scale = scaleOf(rescale, clip);
        float decay = p.decay;
        return [=](float &w, float g, float &square, float &buffer) {
            float gradient = scale * g + decay * w;
            square = flush(smoothing * square + (1 - smoothing) * (gradient * gradient));
            buffer = flush(momentum * buffer + gradient / (sqrtf(square) + epsilon));
            w -= rate * buffer;
        };
    });
}

// Sum of the squares of each chunk of the gradients, in F64. 4 bytes per element.
TENON_KERNEL(sum_of_squares, const Parameter *parameters, const int2 *chunks, double *partial) {
    int2 chunk = chunks[blockIdx.x];
    const float *x = parameters[chunk.x].grad;
    int64 count = parameters[chunk.x].count;
    int64 from = (int64)chunk.y * CHUNK;
    int64 to = count < from + CHUNK ? count : from + CHUNK;
    int64 vectorEnd = to - (to - from) % 4;
    double sum = 0;
    for (int64 i = from + 4 * (int64)threadIdx.x; i < vectorEnd; i += 4 * (int64)blockDim.x) {
        float v[4];
        load(x + i, v);
#pragma unroll
        for (int j = 0; j < 4; j++) {
            sum += (double)v[j] * v[j];
        }
    }
    for (int64 i = vectorEnd + threadIdx.x; i < to; i += blockDim.x) {
        sum += (double)x[i] * x[i];
    }
    sum = blockReduce<Sum>(sum);
    if (threadIdx.x == 0) {
        partial[blockIdx.x] = sum;
    }
}

// clip[0] is what the update multiplies gradients by, so that their joint norm is no more than `limit`; clip[1] is the norm, |rescale| included. NaN where that is not finite, and then bit 2 of *problem,
// where there is one, keeps recorded updates from changing anything. One block.
#define BAD_NORM 4
TENON_KERNEL(clip_factor, const double *partial, int64 count, double rescale, double limit, float *clip, int *problem) {
    double norm = fabs(rescale) * sqrt(totalOf(partial, count));
    if (threadIdx.x == 0) {
        // By its bits, which approximate arithmetic does not change.
        bool finite = (__double_as_longlong(norm) & 0x7FF0000000000000ll) != 0x7FF0000000000000ll;
        clip[0] = finite ? (float)(rescale * (norm > limit ? limit / norm : 1.0)) : __uint_as_float(0x7FC00000u);
        clip[1] = (float)norm;
        if (!finite && problem != nullptr) {
            *problem |= BAD_NORM;
        }
    }
}
