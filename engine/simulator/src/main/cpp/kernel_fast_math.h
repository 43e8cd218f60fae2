// The approximate arithmetic of a device: intrinsic functions, and what the options --ftz, --prec-div, --prec-sqrt and --use_fast_math make of operators and
// functions. Results are as far off as NVIDIA documents that they may be (CUDA programming guide, "Mathematical Functions"; PTX ISA for tanh.approx), up or
// down as the arguments' bits decide, so that equal arguments give equal results.
//
// As on a device, approximate does not mean finite: NaN stays NaN, infinities stay what they are, comparisons see both. No option of NVRTC assumes otherwise.
#pragma once

namespace sim_shim {

// 1 or -1.
inline int side(float a, float b = 0) {
    unsigned bits = bitsAs<unsigned>(a) * 0x9E3779B9u ^ bitsAs<unsigned>(b) * 0x85EBCA6Bu;
    bits = (bits ^ bits >> 15) * 0x2C1B3C6Du;
    return bits >> 31 ? 1 : -1;
}

// Units in the last place away from x; 0, infinities and NaN stay.
inline float away(float x, int units) {
    int magnitude = bitsAs<int>(x) & 0x7FFFFFFF, sign = bitsAs<int>(x) & (int)0x80000000;
    if (magnitude == 0 || magnitude >= 0x7F800000) return x;
    int moved = magnitude + units;
    return bitsAs<float>(sign | (moved < 0 ? 0 : moved >= 0x7F800000 ? 0x7F7FFFFF : moved));
}

inline float approximateQuotient(float a, float b) { return away(a / b, 2 * side(a, b)); }

// 1 unit from compute capability 5.2 on, 3 before.
inline float approximateRoot(float x) { return away(sqrtf(x), 3 * side(x)); }

// 2^-21.41, less the rounding to F32 of results below 1.
static const double INTRINSIC_ERROR = 3.2e-7;

} // namespace sim_shim

// Of divisors above 2^126, it is of 1 / b that is below the smallest normal number, that is 0, that the product is made.
inline float __fdividef(float a, float b) { return fabsf(b) > 0x1p126f ? a * 0.0f * copysignf(1.0f, b) : sim_shim::approximateQuotient(a, b); }
inline float __expf(float x) {
    float bound = 2 + floorf(fabsf(1.173f * x));
    return sim_shim::away(expf(x), bound < 1000 ? (int)bound * sim_shim::side(x) : 0);
}
inline float __exp10f(float x) {
    float bound = 2 + floorf(fabsf(2.97f * x));
    return sim_shim::away((float)exp10((double)x), bound < 1000 ? (int)bound * sim_shim::side(x) : 0);
}
inline float __logf(float x) {
    if (x < 0.5f || x > 2.0f) return sim_shim::away(logf(x), 3 * sim_shim::side(x));
    return (float)(log((double)x) + sim_shim::side(x) * sim_shim::INTRINSIC_ERROR);
}
inline float __log2f(float x) {
    if (x < 0.5f || x > 2.0f) return sim_shim::away(log2f(x), 2 * sim_shim::side(x));
    return (float)(log2((double)x) + sim_shim::side(x) * 0x1p-23);
}
inline float __powf(float base, float exponent) { return sim_shim::away(exp2f(exponent * __log2f(base)), 2 * sim_shim::side(base, exponent)); }
inline float __sinf(float x) { return (float)(sin((double)x) + sim_shim::side(x) * sim_shim::INTRINSIC_ERROR); }
inline float __cosf(float x) { return (float)(cos((double)x) + sim_shim::side(x) * sim_shim::INTRINSIC_ERROR); }
// tanh.approx: relative error 2^-11, and no result beyond 1.
inline float __tanhf(float x) {
    double y = tanh((double)x) * (1 + sim_shim::side(x) * 0x1.FFp-12);
    return (float)(y > 1 ? 1 : y < -1 ? -1 : y);
}

// ---- Options ----

#if SIM_FAST_FUNCTIONS
#define expf(...) __expf(__VA_ARGS__)
#define exp10f(...) __exp10f(__VA_ARGS__)
#define logf(...) __logf(__VA_ARGS__)
#define log2f(...) __log2f(__VA_ARGS__)
#define powf(...) __powf(__VA_ARGS__)
#define sinf(...) __sinf(__VA_ARGS__)
#define cosf(...) __cosf(__VA_ARGS__)
// From CUDA 13 on; before, as accurate as ever.
#define tanhf(...) __tanhf(__VA_ARGS__)
#endif

#if SIM_APPROXIMATE_ROOT
#define sqrtf(...) sim_shim::approximateRoot(__VA_ARGS__)
#endif

// Quotients are written a / DIVIDE / b and a *= DIVISOR = b (nvrtc_fast_math.cpp): by the types alone it shows which are of floats.
namespace sim_shim {

#if SIM_FAST_FUNCTIONS
inline float floatQuotient(float a, float b) { return __fdividef(a, b); }
#else
inline float floatQuotient(float a, float b) { return approximateQuotient(a, b); }
#endif

template <class A, class B> constexpr auto quotientOf(A a, B b) {
    if constexpr (std::is_same_v<decltype(a / b), float>) {
        // Constants are divided by the compiler, exactly.
        return __builtin_is_constant_evaluated() ? a / b : floatQuotient(a, b);
    } else {
        return a / b;
    }
}

template <class A> struct Dividend { A value; };
template <class B> struct Quotient { B divisor; };
struct Divide {};
struct Divisor {
    template <class B> constexpr Quotient<B> operator=(B value) const { return {value}; }
};
static constexpr Divide DIVIDE = {};
static constexpr Divisor DIVISOR = {};

template <class A> constexpr Dividend<A> operator/(A a, Divide) { return {a}; }
template <class A, class B> constexpr auto operator/(Dividend<A> a, B b) { return quotientOf(a.value, b); }
template <class A, class B> constexpr A &operator*=(A &a, Quotient<B> b) { return a = (A)quotientOf(a, b.divisor); }

// While it lives, denormal numbers are 0, as operands and as results. On a host that goes for F64, too, whose denormal numbers no kernel meets.
struct FlushDenormals {
#if defined(__x86_64__)
    unsigned before = __builtin_ia32_stmxcsr();
    FlushDenormals() { __builtin_ia32_ldmxcsr(before | 0x8040); }
    ~FlushDenormals() { __builtin_ia32_ldmxcsr(before); }
#elif defined(__aarch64__)
    unsigned long long before = __builtin_aarch64_get_fpcr64();
    FlushDenormals() { __builtin_aarch64_set_fpcr64(before | 1 << 24); }
    ~FlushDenormals() { __builtin_aarch64_set_fpcr64(before); }
#else
#error "how this processor flushes denormal numbers is not known here"
#endif
};

} // namespace sim_shim
