// Host arithmetic of the library doubles: number formats, packing and one matrix product.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <vector>

namespace arithmetic {

inline uint32_t bits(float x) {
    uint32_t b;
    std::memcpy(&b, &x, 4);
    return b;
}

inline float number(uint32_t b) {
    float x;
    std::memcpy(&x, &b, 4);
    return x;
}

inline float bfloat16(uint16_t b) {
    return number(uint32_t(b) << 16);
}

/** To nearest, ties to even; NaN stays NaN. */
inline uint16_t bfloat16(float x) {
    uint32_t b = bits(x);
    if ((b & 0x7fffffffu) > 0x7f800000u) {
        return uint16_t((b >> 16) | 0x40u);
    }
    return uint16_t((b + 0x7fffu + ((b >> 16) & 1u)) >> 16);
}

inline float half(uint16_t h) {
    uint32_t sign = uint32_t(h & 0x8000u) << 16, exponent = (h >> 10) & 31u, fraction = h & 0x3ffu;
    if (exponent == 31) {
        return number(sign | 0x7f800000u | (fraction << 13));
    }
    if (exponent == 0) {
        float magnitude = std::ldexp(float(fraction), -24);
        return sign ? -magnitude : magnitude;
    }
    return number(sign | ((exponent + 112) << 23) | (fraction << 13));
}

inline uint16_t half(float x) {
    uint16_t sign = uint16_t((bits(x) >> 16) & 0x8000u);
    float magnitude = std::fabs(x);
    if (std::isnan(x)) {
        return uint16_t(sign | 0x7e00u);
    }
    if (magnitude >= 65520.0f) {
        return uint16_t(sign | 0x7c00u);
    }
    if (magnitude < 6.103515625e-5f) {
        return uint16_t(sign | uint16_t(std::nearbyint(std::ldexp(magnitude, 24))));
    }
    uint32_t b = bits(magnitude);
    b += 0xfffu + ((b >> 13) & 1u);
    return uint16_t(sign | uint16_t((b >> 13) - (112u << 10)));
}

/** A float as tensor cores read it: 10 bits of mantissa, to nearest, ties away from zero. */
inline float tf32(float x) {
    uint32_t b = bits(x);
    return (b & 0x7f800000u) == 0x7f800000u ? x : number((b + 0x1000u) & ~0x1fffu);
}

/** What happens to an F32 operand before it is multiplied. */
enum class Rounding { NONE, TF32, HALF };

inline void round(float *values, int64_t count, Rounding rounding) {
    if (rounding == Rounding::TF32) {
        for (int64_t i = 0; i < count; i++) {
            values[i] = tf32(values[i]);
        }
    } else if (rounding == Rounding::HALF) {
        for (int64_t i = 0; i < count; i++) {
            values[i] = half(half(values[i]));
        }
    }
}

/** Element types, by width and format. */
enum class Format { F32, F64, BF16, F16 };

inline int64_t bytesOf(Format format) {
    return format == Format::F64 ? 8 : format == Format::F32 ? 4 : 2;
}

/** count elements, stride apart, to consecutive floats. */
inline void load(float *to, const void *base, Format format, int64_t offset, int64_t stride, int64_t count) {
    switch (format) {
        case Format::F32: {
            const float *from = static_cast<const float *>(base) + offset;
            if (stride == 1) {
                std::memcpy(to, from, size_t(count) * 4);
                return;
            }
            for (int64_t i = 0; i < count; i++) {
                to[i] = from[i * stride];
            }
            return;
        }
        case Format::F64: {
            const double *from = static_cast<const double *>(base) + offset;
            for (int64_t i = 0; i < count; i++) {
                to[i] = float(from[i * stride]);
            }
            return;
        }
        case Format::BF16: {
            const uint16_t *from = static_cast<const uint16_t *>(base) + offset;
            for (int64_t i = 0; i < count; i++) {
                to[i] = bfloat16(from[i * stride]);
            }
            return;
        }
        case Format::F16: {
            const uint16_t *from = static_cast<const uint16_t *>(base) + offset;
            for (int64_t i = 0; i < count; i++) {
                to[i] = half(from[i * stride]);
            }
            return;
        }
    }
}

inline float load(const void *base, Format format, int64_t offset) {
    float value = 0;
    load(&value, base, format, offset, 1, 1);
    return value;
}

inline void store(void *base, Format format, int64_t offset, float value) {
    switch (format) {
        case Format::F32:
            static_cast<float *>(base)[offset] = value;
            return;
        case Format::F64:
            static_cast<double *>(base)[offset] = value;
            return;
        case Format::BF16:
            static_cast<uint16_t *>(base)[offset] = bfloat16(value);
            return;
        case Format::F16:
            static_cast<uint16_t *>(base)[offset] = half(value);
            return;
    }
}

/** out = alpha * values + beta * out; with beta == 0 out is not read, whatever it holds. */
inline void blend(
        void *base, Format format, int64_t offset, int64_t stride, const float *values, int64_t count, float alpha, float beta) {
    for (int64_t i = 0; i < count; i++) {
        float value = alpha * values[i];
        int64_t at = offset + i * stride;
        store(base, format, at, beta == 0 ? value : value + beta * load(base, format, at));
    }
}

inline float multiplyAdd(float a, float b, float c) {
#ifdef __FMA__
    return __builtin_fmaf(a, b, c);
#else
    return a * b + c;
#endif
}

/** C[m, n] += A[m, k] * B[k, n], rows contiguous, leading dimensions in elements. Sums in F32, in blocks of k. */
inline void gemm(
        int64_t m, int64_t n, int64_t k, const float *a, int64_t lda, const float *b, int64_t ldb, float *c, int64_t ldc) {
    constexpr int64_t ROWS = 4, COLUMNS = 32, DEPTH = 256;
    std::vector<float> panel(DEPTH * COLUMNS);
    for (int64_t k0 = 0; k0 < k; k0 += DEPTH) {
        int64_t depth = std::min(DEPTH, k - k0);
        for (int64_t n0 = 0; n0 < n; n0 += COLUMNS) {
            int64_t width = std::min(COLUMNS, n - n0);
            for (int64_t p = 0; p < depth; p++) {
                const float *from = b + (k0 + p) * ldb + n0;
                float *to = panel.data() + p * COLUMNS;
                std::copy(from, from + width, to);
                std::fill(to + width, to + COLUMNS, 0.0f);
            }
            for (int64_t m0 = 0; m0 < m; m0 += ROWS) {
                int64_t rows = std::min(ROWS, m - m0);
                const float *row[ROWS];
                for (int64_t r = 0; r < ROWS; r++) {
                    row[r] = a + (m0 + std::min(r, rows - 1)) * lda + k0;
                }
                float sum[ROWS][COLUMNS] = {};
                for (int64_t p = 0; p < depth; p++) {
                    const float *from = panel.data() + p * COLUMNS;
                    for (int64_t r = 0; r < ROWS; r++) {
                        float factor = row[r][p];
                        for (int64_t j = 0; j < COLUMNS; j++) {
                            sum[r][j] = multiplyAdd(factor, from[j], sum[r][j]);
                        }
                    }
                }
                for (int64_t r = 0; r < rows; r++) {
                    float *to = c + (m0 + r) * ldc + n0;
                    for (int64_t j = 0; j < width; j++) {
                        to[j] += sum[r][j];
                    }
                }
            }
        }
    }
}

}  // namespace arithmetic
