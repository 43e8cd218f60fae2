// Batches of bytes become network inputs: crop, mirror, normalize and cast in one pass.

// y[n, p, q, c] = (x[n, top + p, left + q', c] - mean[c]) / deviation[c], with q' = width - 1 - q where the image is mirrored; what lies outside of the image is 0 before normalization.
// places[n] = {top, left, mirrored}, top and left of the window in the image, which may lie outside. A block takes a row of the result at a time. 5 bytes per element, 3 in BF16.
template <typename T>
__device__ __forceinline__ void cropMirrorNormalize(
    const u8 *images,
    int imageHeight,
    int imageWidth,
    int channels,
    const int *places,
    const float *mean,
    const float *deviation,
    T *y,
    int height,
    int width,
    int64 rows) {
    const int N = Width<T>::N;
    int64 size = (int64)width * channels;
    bool whole = size % N == 0 && aligned(y);
    int stride = whole ? N * blockDim.x : blockDim.x;
    for (int64 row = blockIdx.x; row < rows; row += gridDim.x) {
        int64 image = quotient(row, height);
        int p = (int)(row - image * height);
        int top = places[3 * image] + p;
        int left = places[3 * image + 1];
        bool mirrored = places[3 * image + 2] != 0;
        bool inside = top >= 0 && top < imageHeight;
        const u8 *line = images + (image * imageHeight + (inside ? top : 0)) * imageWidth * channels;
        auto value = [=](int64 i) {
            int q = (int)quotient(i, channels);
            int c = (int)(i - (int64)q * channels);
            int column = left + (mirrored ? width - 1 - q : q);
            float x = inside && column >= 0 && column < imageWidth ? (float)line[(int64)column * channels + c] : 0.0f;
            // Rounded as a table of 256 quotients is, in every build.
            return __fdiv_rn(x - mean[c], deviation[c]);
        };
        T *out = y + row * size;
        if (whole) {
            for (int64 i = N * threadIdx.x; i < size; i += stride) {
                float v[N];
#pragma unroll
                for (int j = 0; j < N; j++) {
                    v[j] = value(i + j);
                }
                store(out + i, v);
            }
        } else {
            for (int64 i = threadIdx.x; i < size; i += stride) {
                put(out + i, value(i));
            }
        }
    }
}

#define CROP_MIRROR_NORMALIZE(type, T)                                                                                        \
    TENON_KERNEL(                                                                                                             \
        crop_mirror_normalize_##type, const u8 *images, int imageHeight, int imageWidth, int channels, const int *places,     \
        const float *mean, const float *deviation, T *y, int height, int width, int64 rows) {                                 \
        cropMirrorNormalize(images, imageHeight, imageWidth, channels, places, mean, deviation, y, height, width, rows);      \
    }
CROP_MIRROR_NORMALIZE(f32, float)
CROP_MIRROR_NORMALIZE(bf16, bf16)
