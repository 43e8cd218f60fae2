package tenon.engine.backend.cuda;

import tenon.engine.DType;

/** A kernel that exists for F32 and BF16, under names that end in {@code _f32} and {@code _bf16}; each is looked up when it is first used. */
final class KernelPair {
    private final CudaBackend backend;
    private final String file;
    private final String name;
    private Kernel f32;
    private Kernel bf16;

    KernelPair(CudaBackend backend, String file, String name) {
        this.backend = backend;
        this.file = file;
        this.name = name;
    }

    Kernel of(DType dtype) {
        if (dtype == DType.F32) {
            if (f32 == null) {
                f32 = backend.kernels.get(file, name + "_f32");
            }
            return f32;
        }
        if (dtype == DType.BF16) {
            if (bf16 == null) {
                bf16 = backend.kernels.get(file, name + "_bf16");
            }
            return bf16;
        }
        throw new IllegalArgumentException(file + "." + name + ": F32 or BF16: dtype=" + dtype);
    }
}
