package tenon.engine.backend.cuda;

import tenon.engine.DType;

/** A kernel that exists for F32 and BF16, and for both once more with vectors of {@value #BYTES} bytes: {@code name_f32}, {@code name_bf16_vector} and so on. Compiled on first use. */
final class Variants {
    /** Size of a vector. */
    static final int BYTES = 16;

    private final CudaBackend backend;
    private final String file;
    private final String name;
    private final String suffix;
    private final Kernel[] loaded = new Kernel[4];

    Variants(CudaBackend backend, String file, String name) {
        this(backend, file, name, "");
    }

    /** @param suffix between dtype and {@code _vector} */
    Variants(CudaBackend backend, String file, String name, String suffix) {
        this.backend = backend;
        this.file = file;
        this.name = name;
        this.suffix = suffix;
    }

    /** @param vector elements per access: 1, or {@link #width} */
    Kernel get(DType dtype, int vector) {
        int i = (dtype == DType.BF16 ? 2 : 0) + (vector > 1 ? 1 : 0);
        if (loaded[i] == null) {
            loaded[i] = backend.kernels.get(
                    file, name + (dtype == DType.BF16 ? "_bf16" : "_f32") + suffix + (vector > 1 ? "_vector" : ""));
        }
        return loaded[i];
    }

    /** Elements of a vector. */
    static int width(DType dtype) {
        return BYTES / dtype.byteSize();
    }

    /** Elements per access that fit rows of {@code channels} elements at the addresses given (0 for absent ones): {@link #width}, or 1. */
    static int vector(DType dtype, int channels, long... addresses) {
        int width = width(dtype);
        long bits = 0;
        for (long address : addresses) {
            bits |= address;
        }
        return channels % width == 0 && bits % BYTES == 0 ? width : 1;
    }
}
