// A double of cuBLAS: the calls of a matrix product, on the host, late, checked as the library checks them.
#include "arithmetic.h"
#include "library.h"

using arithmetic::Format;
using arithmetic::Rounding;

namespace {

enum Status {
    SUCCESS = 0,
    NOT_INITIALIZED = 1,
    ALLOC_FAILED = 3,
    INVALID_VALUE = 7,
    ARCH_MISMATCH = 8,
    MAPPING_ERROR = 11,
    EXECUTION_FAILED = 13,
    INTERNAL_ERROR = 14,
    NOT_SUPPORTED = 15,
    LICENSE_ERROR = 16
};

enum Operation { N = 0, T = 1, C = 2 };
enum PointerMode { HOST = 0, DEVICE = 1 };
enum MathMode { DEFAULT_MATH = 0, TENSOR_OP_MATH = 1, PEDANTIC_MATH = 2, TF32_TENSOR_OP_MATH = 3, NO_REDUCED_REDUCTION = 16 };
enum DataType { R_32F = 0, R_64F = 1, R_16F = 2, R_16BF = 14 };
enum ComputeType { COMPUTE_32F = 68, COMPUTE_32F_PEDANTIC = 69, COMPUTE_32F_FAST_16F = 74, COMPUTE_32F_FAST_16BF = 75, COMPUTE_32F_FAST_TF32 = 77 };

constexpr int VERSION = CUBLAS_MAJOR * 10000 + 600;
constexpr size_t DEFAULT_WORKSPACE = 4 << 20;

struct Handle {
    library::Place place;
    int pointerMode = HOST;
    int math = DEFAULT_MATH;
    int atomics = 0;
    void *workspace = nullptr;
    size_t workspaceBytes = DEFAULT_WORKSPACE;
};

constexpr const char *HANDLE = "cublasHandle";

/** One product as the caller described it. */
struct Product {
    int transA, transB;
    int64_t m, n, k;
    const void *alpha;
    const void *a;
    int typeA;
    int64_t lda, strideA;
    const void *b;
    int typeB;
    int64_t ldb, strideB;
    const void *beta;
    void *c;
    int typeC;
    int64_t ldc, strideC;
    int64_t batch;
    int compute;
};

bool formatOf(int type, Format *format) {
    switch (type) {
        case R_32F:
            *format = Format::F32;
            return true;
        case R_16F:
            *format = Format::F16;
            return true;
        case R_16BF:
            *format = Format::BF16;
            return true;
        default:
            return false;
    }
}

Handle *live(const char *call, void *handle) {
    return sim_handle_known(HANDLE, handle, call) ? static_cast<Handle *>(handle) : nullptr;
}

/** The combinations of the table of cublasGemmEx whose sums are F32. */
bool supported(int typeA, int typeB, int typeC, int compute) {
    bool f32 = typeA == R_32F && typeB == R_32F && typeC == R_32F;
    switch (compute) {
        case COMPUTE_32F:
        case COMPUTE_32F_PEDANTIC:
            return f32 || (typeA == typeB && (typeA == R_16BF || typeA == R_16F) && (typeC == typeA || typeC == R_32F));
        case COMPUTE_32F_FAST_16F:
        case COMPUTE_32F_FAST_16BF:
        case COMPUTE_32F_FAST_TF32:
            return f32;
        default:
            return false;
    }
}

int64_t extent(int64_t rows, int64_t columns, int64_t leading, int64_t stride, int64_t batch) {
    return rows == 0 || columns == 0 ? 0 : (batch - 1) * stride + (columns - 1) * leading + rows;
}

struct Work {
    Product product;
    float alpha, beta;
    bool scalarsOnDevice;
    Format formatA, formatB, formatC;
    Rounding rounding;
};

/** Column-major C is row-major C transposed: C' [n, m] = op(B)' [n, k] * op(A)' [k, m]. */
void multiply(const Work &work) {
    const Product &p = work.product;
    float alpha = work.scalarsOnDevice ? *static_cast<const float *>(p.alpha) : work.alpha;
    float beta = work.scalarsOnDevice ? *static_cast<const float *>(p.beta) : work.beta;
    std::vector<float> a(size_t(p.k * p.m)), b(size_t(p.n * p.k)), c(size_t(p.n * p.m));
    for (int64_t i = 0; i < p.batch; i++) {
        for (int64_t row = 0; row < p.k; row++) {
            int64_t at = i * p.strideA + (p.transA == N ? row * p.lda : row);
            arithmetic::load(a.data() + row * p.m, p.a, work.formatA, at, p.transA == N ? 1 : p.lda, p.m);
        }
        for (int64_t row = 0; row < p.n; row++) {
            int64_t at = i * p.strideB + (p.transB == N ? row * p.ldb : row);
            arithmetic::load(b.data() + row * p.k, p.b, work.formatB, at, p.transB == N ? 1 : p.ldb, p.k);
        }
        arithmetic::round(a.data(), int64_t(a.size()), work.rounding);
        arithmetic::round(b.data(), int64_t(b.size()), work.rounding);
        std::fill(c.begin(), c.end(), 0.0f);
        arithmetic::gemm(p.n, p.m, p.k, b.data(), p.k, a.data(), p.m, c.data(), p.m);
        for (int64_t row = 0; row < p.n; row++) {
            arithmetic::blend(
                    p.c, work.formatC, i * p.strideC + row * p.ldc, 1, c.data() + row * p.m, p.m, alpha, beta);
        }
    }
}

int run(const char *name, void *of, Product p) {
    SIM_ENTER(name)
    Handle *handle = live(name, of);
    if (handle == nullptr) {
        return NOT_INITIALIZED;
    }
    if (!library::ready(name, handle->place)) {
        return EXECUTION_FAILED;
    }
    if (call.fault == SIM_SWAP_ARGS) {
        std::swap(p.a, p.b);
    } else if (call.fault == SIM_HALF) {
        p.n /= 2;
    }
    bool operations = p.transA >= N && p.transA <= C && p.transB >= N && p.transB <= C;
    int64_t rowsA = p.transA == N ? p.m : p.k, columnsA = p.transA == N ? p.k : p.m;
    int64_t rowsB = p.transB == N ? p.k : p.n, columnsB = p.transB == N ? p.n : p.k;
    if (!operations || p.m < 0 || p.n < 0 || p.k < 0 || p.batch < 0 || p.lda < std::max<int64_t>(1, rowsA)
            || p.ldb < std::max<int64_t>(1, rowsB) || p.ldc < std::max<int64_t>(1, p.m) || p.alpha == nullptr || p.beta == nullptr) {
        return INVALID_VALUE;
    }
    Work work{p, 0, 0, handle->pointerMode == DEVICE, Format::F32, Format::F32, Format::F32, Rounding::NONE};
    if (!formatOf(p.typeA, &work.formatA) || !formatOf(p.typeB, &work.formatB) || !formatOf(p.typeC, &work.formatC)
            || !supported(p.typeA, p.typeB, p.typeC, p.compute)) {
        return NOT_SUPPORTED;
    }
    if (p.m == 0 || p.n == 0 || p.batch == 0) {
        return SUCCESS;
    }
    library::Operands operands(name);
    if (work.scalarsOnDevice) {
        operands.in("alpha", p.alpha, 4, 4);
        operands.in("beta", p.beta, 4, 4);
    } else {
        if (!operands.host("alpha", p.alpha, 4) || !operands.host("beta", p.beta, 4)) {
            return EXECUTION_FAILED;
        }
        work.alpha = *static_cast<const float *>(p.alpha);
        work.beta = *static_cast<const float *>(p.beta);
    }
    if (p.k > 0) {
        int64_t width = arithmetic::bytesOf(work.formatA);
        operands.in("A", p.a, extent(rowsA, columnsA, p.lda, p.strideA, p.batch) * width, width);
        width = arithmetic::bytesOf(work.formatB);
        operands.in("B", p.b, extent(rowsB, columnsB, p.ldb, p.strideB, p.batch) * width, width);
    }
    int64_t width = arithmetic::bytesOf(work.formatC);
    operands.out("C", p.c, extent(p.m, p.n, p.ldc, p.strideC, p.batch) * width, width);
    if (p.batch > 1 && p.strideC < extent(p.m, p.n, p.ldc, 0, 1)) {
        sim_violation("%s: results of the batch overlap: stride %ld, a matrix takes %ld", name, long(p.strideC),
                long(extent(p.m, p.n, p.ldc, 0, 1)));
        return EXECUTION_FAILED;
    }
    // The workspace is the library's to write, for as long as the product runs.
    if (handle->workspace != nullptr) {
        operands.out("workspace", handle->workspace, int64_t(handle->workspaceBytes), 256);
    }
    if (!operands.valid()) {
        return EXECUTION_FAILED;
    }
    bool f32 = p.typeA == R_32F;
    if (p.compute == COMPUTE_32F_FAST_TF32 || (f32 && p.compute == COMPUTE_32F && handle->math == TF32_TENSOR_OP_MATH)) {
        work.rounding = Rounding::TF32;
    } else if (p.compute == COMPUTE_32F_FAST_16F || p.compute == COMPUTE_32F_FAST_16BF) {
        work.rounding = Rounding::HALF;
    }
    void *scratch = handle->workspace;
    size_t scratchBytes = handle->workspaceBytes;
    return library::enqueue(call, handle->place, operands, [work, scratch, scratchBytes] {
        library::spoil(scratch, scratchBytes);
        multiply(work);
    })
            ? SUCCESS
            : EXECUTION_FAILED;
}

}  // namespace

SIM_ENTRY_POINTS

extern "C" {

int cublasCreate_v2(void **handle) {
    SIM_ENTER("cublasCreate")
    if (handle == nullptr) {
        return INVALID_VALUE;
    }
    *handle = nullptr;
    if (sim_unsafe_in_capture(call.name) != CUDA_SUCCESS) {
        return NOT_INITIALIZED;
    }
    CUcontext context = sim_current_context(call.name);
    if (context == nullptr) {
        return NOT_INITIALIZED;
    }
    Handle *made = new Handle;
    made->place.context = context;
    sim_handle_created(HANDLE, made);
    *handle = made;
    return SUCCESS;
}

int cublasDestroy_v2(void *handle) {
    SIM_ENTER("cublasDestroy")
    Handle *gone = live(call.name, handle);
    if (gone == nullptr) {
        return NOT_INITIALIZED;
    }
    if (gone->place.context != sim_current_context(call.name)) {
        sim_violation("%s: another context is current than the one the handle was made in", call.name);
    }
    sim_handle_destroyed(HANDLE, gone, call.name);
    delete gone;
    return SUCCESS;
}

int cublasGetVersion_v2(void *handle, int *version) {
    SIM_ENTER("cublasGetVersion")
    if (version == nullptr) {
        return INVALID_VALUE;
    }
    // Takes a null handle too.
    if (handle != nullptr && live(call.name, handle) == nullptr) {
        return NOT_INITIALIZED;
    }
    *version = VERSION;
    return SUCCESS;
}

int cublasGetProperty(int type, int *value) {
    SIM_ENTER("cublasGetProperty")
    if (value == nullptr || type < 0 || type > 2) {
        return INVALID_VALUE;
    }
    const int parts[] = {CUBLAS_MAJOR, 6, 0};
    *value = parts[type];
    return SUCCESS;
}

size_t cublasGetCudartVersion() {
    return CUBLAS_MAJOR * 1000 + 60;
}

int cublasSetStream_v2(void *handle, CUstream stream) {
    SIM_ENTER("cublasSetStream")
    Handle *to = live(call.name, handle);
    if (to == nullptr) {
        return NOT_INITIALIZED;
    }
    if (!sim_stream_of(stream, to->place.context, call.name)) {
        return INVALID_VALUE;
    }
    to->place.stream = stream;
    to->place.streamSet = true;
    // As documented: back to the library's own workspace, unconditionally.
    to->workspace = nullptr;
    to->workspaceBytes = DEFAULT_WORKSPACE;
    return SUCCESS;
}

int cublasGetStream_v2(void *handle, CUstream *stream) {
    SIM_ENTER("cublasGetStream")
    Handle *of = live(call.name, handle);
    if (of == nullptr) {
        return NOT_INITIALIZED;
    }
    if (stream == nullptr) {
        return INVALID_VALUE;
    }
    *stream = of->place.stream;
    return SUCCESS;
}

int cublasSetWorkspace_v2(void *handle, void *workspace, size_t bytes) {
    SIM_ENTER("cublasSetWorkspace")
    Handle *to = live(call.name, handle);
    if (to == nullptr) {
        return NOT_INITIALIZED;
    }
    if (reinterpret_cast<uintptr_t>(workspace) % 256 != 0 || (workspace == nullptr && bytes > 0)) {
        return INVALID_VALUE;
    }
    if (workspace != nullptr) {
        library::Operands operands(call.name);
        operands.out("workspace", workspace, int64_t(bytes), 256);
        if (!operands.valid()) {
            return INVALID_VALUE;
        }
    }
    to->workspace = workspace;
    to->workspaceBytes = bytes;
    return SUCCESS;
}

int cublasSetPointerMode_v2(void *handle, int mode) {
    SIM_ENTER("cublasSetPointerMode")
    Handle *to = live(call.name, handle);
    if (to == nullptr) {
        return NOT_INITIALIZED;
    }
    if (mode != HOST && mode != DEVICE) {
        return INVALID_VALUE;
    }
    to->pointerMode = mode;
    return SUCCESS;
}

int cublasGetPointerMode_v2(void *handle, int *mode) {
    SIM_ENTER("cublasGetPointerMode")
    Handle *of = live(call.name, handle);
    if (of == nullptr) {
        return NOT_INITIALIZED;
    }
    if (mode == nullptr) {
        return INVALID_VALUE;
    }
    *mode = of->pointerMode;
    return SUCCESS;
}

int cublasSetMathMode(void *handle, int mode) {
    SIM_ENTER("cublasSetMathMode")
    Handle *to = live(call.name, handle);
    if (to == nullptr) {
        return NOT_INITIALIZED;
    }
    int base = mode & ~NO_REDUCED_REDUCTION;
    if (base < DEFAULT_MATH || base > TF32_TENSOR_OP_MATH) {
        return INVALID_VALUE;
    }
    to->math = base;
    return SUCCESS;
}

int cublasGetMathMode(void *handle, int *mode) {
    SIM_ENTER("cublasGetMathMode")
    Handle *of = live(call.name, handle);
    if (of == nullptr) {
        return NOT_INITIALIZED;
    }
    if (mode == nullptr) {
        return INVALID_VALUE;
    }
    *mode = of->math;
    return SUCCESS;
}

int cublasSetAtomicsMode(void *handle, int mode) {
    SIM_ENTER("cublasSetAtomicsMode")
    Handle *to = live(call.name, handle);
    if (to == nullptr) {
        return NOT_INITIALIZED;
    }
    if (mode != 0 && mode != 1) {
        return INVALID_VALUE;
    }
    to->atomics = mode;
    return SUCCESS;
}

int cublasGetAtomicsMode(void *handle, int *mode) {
    SIM_ENTER("cublasGetAtomicsMode")
    Handle *of = live(call.name, handle);
    if (of == nullptr) {
        return NOT_INITIALIZED;
    }
    if (mode == nullptr) {
        return INVALID_VALUE;
    }
    *mode = of->atomics;
    return SUCCESS;
}

const char *cublasGetStatusName(int status) {
    switch (status) {
        case SUCCESS:
            return "CUBLAS_STATUS_SUCCESS";
        case NOT_INITIALIZED:
            return "CUBLAS_STATUS_NOT_INITIALIZED";
        case ALLOC_FAILED:
            return "CUBLAS_STATUS_ALLOC_FAILED";
        case INVALID_VALUE:
            return "CUBLAS_STATUS_INVALID_VALUE";
        case ARCH_MISMATCH:
            return "CUBLAS_STATUS_ARCH_MISMATCH";
        case MAPPING_ERROR:
            return "CUBLAS_STATUS_MAPPING_ERROR";
        case EXECUTION_FAILED:
            return "CUBLAS_STATUS_EXECUTION_FAILED";
        case INTERNAL_ERROR:
            return "CUBLAS_STATUS_INTERNAL_ERROR";
        case NOT_SUPPORTED:
            return "CUBLAS_STATUS_NOT_SUPPORTED";
        case LICENSE_ERROR:
            return "CUBLAS_STATUS_LICENSE_ERROR";
        default:
            return "unrecognized status";
    }
}

const char *cublasGetStatusString(int status) {
    switch (status) {
        case SUCCESS:
            return "success";
        case NOT_INITIALIZED:
            return "the library was not initialized";
        case ALLOC_FAILED:
            return "the resource allocation failed";
        case INVALID_VALUE:
            return "an unsupported value or parameter was passed to the function";
        case ARCH_MISMATCH:
            return "the function requires an architectural feature absent from the device";
        case MAPPING_ERROR:
            return "an access to GPU memory space failed";
        case EXECUTION_FAILED:
            return "the function failed to launch on the GPU";
        case INTERNAL_ERROR:
            return "an internal operation failed";
        case NOT_SUPPORTED:
            return "the requested functionality is not supported";
        case LICENSE_ERROR:
            return "the license check failed";
        default:
            return "unrecognized status";
    }
}

int cublasSgemm_v2(void *handle, int transA, int transB, int m, int n, int k, const float *alpha, const float *a, int lda,
        const float *b, int ldb, const float *beta, float *c, int ldc) {
    return run("cublasSgemm", handle,
            {transA, transB, m, n, k, alpha, a, R_32F, lda, 0, b, R_32F, ldb, 0, beta, c, R_32F, ldc, 0, 1, COMPUTE_32F});
}

int cublasSgemmStridedBatched(void *handle, int transA, int transB, int m, int n, int k, const float *alpha, const float *a,
        int lda, long long strideA, const float *b, int ldb, long long strideB, const float *beta, float *c, int ldc,
        long long strideC, int batch) {
    return run("cublasSgemmStridedBatched", handle,
            {transA, transB, m, n, k, alpha, a, R_32F, lda, strideA, b, R_32F, ldb, strideB, beta, c, R_32F, ldc, strideC, batch,
                    COMPUTE_32F});
}

int cublasGemmEx(void *handle, int transA, int transB, int m, int n, int k, const void *alpha, const void *a, int typeA, int lda,
        const void *b, int typeB, int ldb, const void *beta, void *c, int typeC, int ldc, int compute, int algorithm) {
    (void) algorithm;  // of no effect since Ampere
    return run("cublasGemmEx", handle,
            {transA, transB, m, n, k, alpha, a, typeA, lda, 0, b, typeB, ldb, 0, beta, c, typeC, ldc, 0, 1, compute});
}

int cublasGemmStridedBatchedEx(void *handle, int transA, int transB, int m, int n, int k, const void *alpha, const void *a,
        int typeA, int lda, long long strideA, const void *b, int typeB, int ldb, long long strideB, const void *beta, void *c,
        int typeC, int ldc, long long strideC, int batch, int compute, int algorithm) {
    (void) algorithm;
    return run("cublasGemmStridedBatchedEx", handle,
            {transA, transB, m, n, k, alpha, a, typeA, lda, strideA, b, typeB, ldb, strideB, beta, c, typeC, ldc, strideC, batch,
                    compute});
}

/** Every other symbol that JCublas2 links: there, and of no use. */
#define SIM_UNNEEDED(name)                                               \
    int name() {                                                         \
        sim_violation("%s: the double of cuBLAS does not do it", #name); \
        return NOT_SUPPORTED;                                            \
    }
#include "cublas_unneeded.h"

}  // extern "C"
