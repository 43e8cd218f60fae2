// Elementwise activations. All have the parameter alpha, used or not, so that they are launched alike. Every output may be one of the inputs.

// y = activation(x). 8 bytes per element, 4 in BF16.
#define FORWARD(name, A)                                                                              \
    TENON_KERNEL(name##_forward_f32, const float *x, float *y, float alpha, int64 n) {                \
        map(x, y, n, [=](float v) { return activate<A>(v, alpha); });                                 \
    }                                                                                                 \
    TENON_KERNEL(name##_forward_bf16, const bf16 *x, bf16 *y, float alpha, int64 n) {                 \
        map(x, y, n, [=](float v) { return activate<A>(v, alpha); });                                 \
    }
TENON_ACTIVATIONS(FORWARD)

// gradInput from the forward result y and gradOutput. 12 bytes per element, 6 in BF16.
#define BACKWARD(name, A)                                                                                           \
    TENON_KERNEL(                                                                                                   \
        name##_backward_f32, const float *y, const float *gradOutput, float *gradInput, float alpha, int64 n) {     \
        map(y, gradOutput, gradInput, n, [=](float v, float g) { return activationGradient<A>(v, g, alpha); });     \
    }                                                                                                               \
    TENON_KERNEL(                                                                                                   \
        name##_backward_bf16, const bf16 *y, const bf16 *gradOutput, bf16 *gradInput, float alpha, int64 n) {       \
        map(y, gradOutput, gradInput, n, [=](float v, float g) { return activationGradient<A>(v, g, alpha); });     \
    }
TENON_ACTIVATIONS(BACKWARD)

// y = activation(a + b), rounded once. 12 bytes per element, 6 in BF16.
#define ADD_FORWARD(name, A)                                                                            \
    TENON_KERNEL(name##_add_f32, const float *a, const float *b, float *y, float alpha, int64 n) {      \
        map(a, b, y, n, [=](float v, float w) { return activate<A>(v + w, alpha); });                   \
    }                                                                                                   \
    TENON_KERNEL(name##_add_bf16, const bf16 *a, const bf16 *b, bf16 *y, float alpha, int64 n) {        \
        map(a, b, y, n, [=](float v, float w) { return activate<A>(v + w, alpha); });                   \
    }
TENON_ACTIVATIONS(ADD_FORWARD)

// PReLU with one slope per channel, the last dimension. 8 bytes per element, 4 in BF16.
TENON_KERNEL(prelu_forward_f32, const float *x, const float *slope, float *y, int channels, int64 n) {
    mapRows(x, slope, channels, y, n, [](float v, float s) { return v > 0 ? v : s * v; });
}

TENON_KERNEL(prelu_forward_bf16, const bf16 *x, const float *slope, bf16 *y, int channels, int64 n) {
    mapRows(x, slope, channels, y, n, [](float v, float s) { return v > 0 ? v : s * v; });
}

// 12 bytes per element, 6 in BF16.
TENON_KERNEL(
    prelu_backward_f32, const float *x, const float *gradOutput, const float *slope, float *gradInput, int channels, int64 n) {
    mapRows(x, gradOutput, slope, channels, gradInput, n, [](float v, float g, float s) { return v > 0 ? g : s * g; });
}

TENON_KERNEL(
    prelu_backward_bf16, const bf16 *x, const bf16 *gradOutput, const float *slope, bf16 *gradInput, int channels, int64 n) {
    mapRows(x, gradOutput, slope, channels, gradInput, n, [](float v, float g, float s) { return v > 0 ? g : s * g; });
}
