// CUDA C++ on the host. Included before a .cu file that the simulated NVRTC compiles with g++. What runs the threads is kernel_runtime.cpp.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <math.h>
#include <stdlib.h>
#include <type_traits>
#include <utility>

#include "kernel_launch.h"

#define TENON_HOST 1

#define __device__
#define __host__
#define __forceinline__ inline
#define __noinline__ __attribute__((noinline))
#define __restrict__ __restrict
#define __align__(n) __attribute__((aligned(n)))
#define __launch_bounds__(...)
#define __constant__ static
// The linker script kernel.ld puts them together. The file is compiled inside an unnamed namespace: those of templates would not be this file's own
// otherwise. Nothing else is static and not constant.
#define __shared__ static

#define SIM_UNCHECKED __attribute__((no_sanitize("address", "alignment", "null")))
#define SIM_HIDDEN __attribute__((visibility("hidden")))

// ---- Vector types ----

#define SIM_VECTOR(T, NAME, ALIGN2, ALIGN4) \
    struct NAME##1 { T x; }; \
    struct alignas(ALIGN2) NAME##2 { T x, y; }; \
    struct NAME##3 { T x, y, z; }; \
    struct alignas(ALIGN4) NAME##4 { T x, y, z, w; }; \
    inline NAME##1 make_##NAME##1(T x) { return {x}; } \
    inline NAME##2 make_##NAME##2(T x, T y) { return {x, y}; } \
    inline NAME##3 make_##NAME##3(T x, T y, T z) { return {x, y, z}; } \
    inline NAME##4 make_##NAME##4(T x, T y, T z, T w) { return {x, y, z, w}; }

SIM_VECTOR(signed char, char, 2, 4)
SIM_VECTOR(unsigned char, uchar, 2, 4)
SIM_VECTOR(short, short, 4, 8)
SIM_VECTOR(unsigned short, ushort, 4, 8)
SIM_VECTOR(int, int, 8, 16)
SIM_VECTOR(unsigned int, uint, 8, 16)
SIM_VECTOR(float, float, 8, 16)
SIM_VECTOR(double, double, 16, 16)
SIM_VECTOR(long long, longlong, 16, 16)
SIM_VECTOR(unsigned long long, ulonglong, 16, 16)

// ---- The threads of the block that runs (kernel_runtime.cpp) ----

struct dim3 {
    unsigned x, y, z;
};

extern SIM_HIDDEN dim3 threadIdx, blockIdx, blockDim, gridDim;
static const int warpSize = SIM_WARP;

namespace sim_shim {

extern SIM_HIDDEN int currentIndex; // of the thread in its block
extern SIM_HIDDEN int barrierSum, barrierAll, barrierAny; // of the last barrier that opened

enum { BALLOT = -1, SYNCHRONIZE = -2 };

SIM_HIDDEN void barrier(int predicate, int line);
// Gives a value to the lanes of the mask and gets that of the lane `source`, or a ballot.
SIM_HIDDEN uint64_t exchange(unsigned mask, uint64_t value, int source, int line);
SIM_HIDDEN void run(SimLaunch *launch, void (*body)(void **), void **arguments);

template <class T> T shuffle(unsigned mask, T value, int source, int line) {
    static_assert(sizeof(T) == 4 || sizeof(T) == 8, "shuffles move 4 or 8 bytes");
    uint64_t bits = 0;
    memcpy(&bits, &value, sizeof value);
    bits = exchange(mask, bits, source, line);
    memcpy(&value, &bits, sizeof value);
    return value;
}

inline int lane() { return currentIndex % SIM_WARP; }

template <class T> T shuffleTo(int line, unsigned mask, T value, int source, int width = SIM_WARP) {
    return shuffle(mask, value, (lane() & ~(width - 1)) + (source & (width - 1)), line);
}
template <class T> T shuffleXor(int line, unsigned mask, T value, int bits, int width = SIM_WARP) {
    int source = lane() ^ bits;
    return shuffle(mask, value, source / width > lane() / width ? lane() : source, line);
}
template <class T> T shuffleDown(int line, unsigned mask, T value, unsigned delta, int width = SIM_WARP) {
    int source = lane() + (int)delta;
    return shuffle(mask, value, source / width != lane() / width ? lane() : source, line);
}
template <class T> T shuffleUp(int line, unsigned mask, T value, unsigned delta, int width = SIM_WARP) {
    int source = lane() - (int)delta;
    return shuffle(mask, value, source < (lane() & ~(width - 1)) ? lane() : source, line);
}
inline void synchronizeWarp(int line, unsigned mask = 0xFFFFFFFFu) { exchange(mask, 0, SYNCHRONIZE, line); }
inline unsigned ballot(int line, unsigned mask, int predicate) { return (unsigned)exchange(mask, predicate != 0, BALLOT, line); }
inline int any(int line, unsigned mask, int predicate) { return ballot(line, mask, predicate) != 0; }
inline int all(int line, unsigned mask, int predicate) { return ballot(line, mask, !predicate) == 0; }

} // namespace sim_shim

#define __syncthreads() sim_shim::barrier(0, __LINE__)
#define __syncthreads_count(predicate) (sim_shim::barrier(predicate, __LINE__), sim_shim::barrierSum)
#define __syncthreads_and(predicate) (sim_shim::barrier(predicate, __LINE__), sim_shim::barrierAll)
#define __syncthreads_or(predicate) (sim_shim::barrier(predicate, __LINE__), sim_shim::barrierAny)
#define __syncwarp(...) sim_shim::synchronizeWarp(__LINE__ __VA_OPT__(, ) __VA_ARGS__)
#define __shfl_sync(...) sim_shim::shuffleTo(__LINE__, __VA_ARGS__)
#define __shfl_xor_sync(...) sim_shim::shuffleXor(__LINE__, __VA_ARGS__)
#define __shfl_down_sync(...) sim_shim::shuffleDown(__LINE__, __VA_ARGS__)
#define __shfl_up_sync(...) sim_shim::shuffleUp(__LINE__, __VA_ARGS__)
#define __ballot_sync(mask, predicate) sim_shim::ballot(__LINE__, mask, predicate)
#define __any_sync(mask, predicate) sim_shim::any(__LINE__, mask, predicate)
#define __all_sync(mask, predicate) sim_shim::all(__LINE__, mask, predicate)

inline void __threadfence() {}
inline void __threadfence_block() {}
inline void __threadfence_system() {}

// ---- Atomics: no other thread runs meanwhile ----

#define SIM_ATOMIC(NAME, T, RESULT) \
    inline T NAME(T *address, T value) { \
        T old = *address; \
        *address = (RESULT); \
        return old; \
    }
#define SIM_ATOMIC_INTEGERS(NAME, RESULT) \
    SIM_ATOMIC(NAME, int, RESULT) \
    SIM_ATOMIC(NAME, unsigned int, RESULT) \
    SIM_ATOMIC(NAME, unsigned long long, RESULT)

SIM_ATOMIC_INTEGERS(atomicAdd, old + value)
SIM_ATOMIC(atomicAdd, float, old + value)
SIM_ATOMIC(atomicAdd, double, old + value)
SIM_ATOMIC(atomicSub, int, old - value)
SIM_ATOMIC(atomicSub, unsigned int, old - value)
SIM_ATOMIC_INTEGERS(atomicExch, value)
SIM_ATOMIC(atomicExch, float, value)
SIM_ATOMIC_INTEGERS(atomicMin, value < old ? value : old)
SIM_ATOMIC(atomicMin, long long, value < old ? value : old)
SIM_ATOMIC_INTEGERS(atomicMax, value > old ? value : old)
SIM_ATOMIC(atomicMax, long long, value > old ? value : old)
SIM_ATOMIC_INTEGERS(atomicAnd, old &value)
SIM_ATOMIC_INTEGERS(atomicOr, old | value)
SIM_ATOMIC_INTEGERS(atomicXor, old ^ value)
SIM_ATOMIC(atomicInc, unsigned int, old >= value ? 0 : old + 1)
SIM_ATOMIC(atomicDec, unsigned int, old == 0 || old > value ? value : old - 1)

#define SIM_ATOMIC_CAS(T) \
    inline T atomicCAS(T *address, T compare, T value) { \
        T old = *address; \
        if (old == compare) *address = value; \
        return old; \
    }
SIM_ATOMIC_CAS(int)
SIM_ATOMIC_CAS(unsigned int)
SIM_ATOMIC_CAS(unsigned short)
SIM_ATOMIC_CAS(unsigned long long)

// ---- Loads and stores with cache hints ----

template <class T> inline T __ldg(const T *address) { return *address; }
template <class T> inline T __ldcg(const T *address) { return *address; }
template <class T> inline T __ldcs(const T *address) { return *address; }
template <class T> inline void __stcg(T *address, T value) { *address = value; }
template <class T> inline void __stcs(T *address, T value) { *address = value; }

// ---- Arithmetic ----

namespace sim_shim {
template <class To, class From> inline To bitsAs(From value) {
    static_assert(sizeof(To) == sizeof(From), "the same number of bits");
    To result;
    memcpy(&result, &value, sizeof result);
    return result;
}

// Not to become part of a fused multiply-add.
template <class T> inline T apart(T value) {
    asm("" : "+m"(value));
    return value;
}
} // namespace sim_shim

template <class A, class B> inline std::common_type_t<A, B> min(A a, B b) {
    if constexpr (std::is_same_v<std::common_type_t<A, B>, float>) return fminf(a, b);
    else if constexpr (std::is_same_v<std::common_type_t<A, B>, double>) return fmin(a, b);
    else return (std::common_type_t<A, B>)b < (std::common_type_t<A, B>)a ? b : a;
}
template <class A, class B> inline std::common_type_t<A, B> max(A a, B b) {
    if constexpr (std::is_same_v<std::common_type_t<A, B>, float>) return fmaxf(a, b);
    else if constexpr (std::is_same_v<std::common_type_t<A, B>, double>) return fmax(a, b);
    else return (std::common_type_t<A, B>)a < (std::common_type_t<A, B>)b ? b : a;
}

inline unsigned int __float_as_uint(float value) { return sim_shim::bitsAs<unsigned int>(value); }
inline int __float_as_int(float value) { return sim_shim::bitsAs<int>(value); }
inline float __uint_as_float(unsigned int value) { return sim_shim::bitsAs<float>(value); }
inline float __int_as_float(int value) { return sim_shim::bitsAs<float>(value); }
inline long long __double_as_longlong(double value) { return sim_shim::bitsAs<long long>(value); }
inline double __longlong_as_double(long long value) { return sim_shim::bitsAs<double>(value); }

inline unsigned int __umulhi(unsigned int a, unsigned int b) { return (unsigned int)((uint64_t)a * b >> 32); }
inline int __mulhi(int a, int b) { return (int)((int64_t)a * b >> 32); }
inline unsigned long long __umul64hi(unsigned long long a, unsigned long long b) {
    return (unsigned long long)((unsigned __int128)a * b >> 64);
}
inline int __mul24(int a, int b) { return ((a << 8) >> 8) * ((b << 8) >> 8); }
inline int __popc(unsigned int value) { return __builtin_popcount(value); }
inline int __popcll(unsigned long long value) { return __builtin_popcountll(value); }
inline int __clz(int value) { return value == 0 ? 32 : __builtin_clz((unsigned)value); }
inline int __clzll(long long value) { return value == 0 ? 64 : __builtin_clzll((unsigned long long)value); }
inline int __ffs(int value) { return __builtin_ffs(value); }

inline float rsqrtf(float value) { return 1.0f / sqrtf(value); }
inline double rsqrt(double value) { return 1.0 / sqrt(value); }
inline float __saturatef(float value) { return value > 0 ? fminf(value, 1.0f) : 0.0f; }
inline float __frcp_rn(float value) { return 1.0f / value; }
inline float __frsqrt_rn(float value) { return (float)(1.0 / sqrt((double)value)); }
inline float __fsqrt_rn(float value) { return sqrtf(value); }
inline float __fadd_rn(float a, float b) { return sim_shim::apart(a) + sim_shim::apart(b); }
inline float __fsub_rn(float a, float b) { return sim_shim::apart(a) - sim_shim::apart(b); }
inline float __fmul_rn(float a, float b) { return sim_shim::apart(a * b); }
inline float __fdiv_rn(float a, float b) { return a / b; }
inline float __fmaf_rn(float a, float b, float c) { return fmaf(a, b, c); }
inline double __fma_rn(double a, double b, double c) { return fma(a, b, c); }
inline double __dadd_rn(double a, double b) { return sim_shim::apart(a) + sim_shim::apart(b); }
inline double __dmul_rn(double a, double b) { return sim_shim::apart(a * b); }
inline int __float2int_rn(float value) { return (int)nearbyintf(value); }
inline int __float2int_rz(float value) { return (int)value; }
inline int __float2int_rd(float value) { return (int)floorf(value); }
inline int __float2int_ru(float value) { return (int)ceilf(value); }
inline float __int2float_rn(int value) { return (float)value; }
inline float __uint2float_rn(unsigned int value) { return (float)value; }

#include "kernel_fast_math.h"

// ---- Kernels ----

namespace sim_shim {

template <class T> constexpr SimParameter parameterOf = {(uint32_t)sizeof(T), (uint32_t)alignof(T), std::is_pointer_v<T>};

template <auto Kernel> struct Thunk;

template <class... P, void (*Kernel)(P...)> struct Thunk<Kernel> {
    // The array of arguments is the host's: no checks here, in the kernel all.
    template <size_t... I> SIM_UNCHECKED static void call(void **arguments, std::index_sequence<I...>) {
        Kernel(*(std::remove_reference_t<P> *)arguments[I]...);
    }
    SIM_UNCHECKED static void body(void **arguments) { call(arguments, std::index_sequence_for<P...>()); }

    static const SimSignature *run(SimLaunch *launch, void **arguments) {
        static constexpr SimParameter parameters[sizeof...(P) + 1] = {parameterOf<P>..., {}};
        static constexpr SimSignature signature = {SIM_LAUNCH_VERSION, sizeof...(P), parameters};
        if (launch) {
#if SIM_FLUSH_DENORMALS
            FlushDenormals flushed;
#endif
            sim_shim::run(launch, body, arguments);
        }
        return &signature;
    }
};

} // namespace sim_shim

#define TENON_KERNEL(name, ...) SIM_KERNEL(name, __VA_ARGS__)
#define SIM_KERNEL(name, ...) \
    __attribute__((noipa)) static void name(__VA_ARGS__); \
    extern "C" __attribute__((visibility("default"))) const SimSignature *tenon_thunk_##name(SimLaunch *launch, void **arguments) { \
        return sim_shim::Thunk<&name>::run(launch, arguments); \
    } \
    static void name(__VA_ARGS__)
