package tenon.engine.backend.cuda;

/** Compiles the {@code .cu} files beside this class, once each, and finds kernels in them. */
final class Kernels implements AutoCloseable {
    private final CudaBackend backend;

    Kernels(CudaBackend backend) {
        this.backend = backend;
    }

    /**
     * A kernel to keep: looking it up costs a map access. The first kernel of a file compiles the file.
     *
     * @param file name of the resource without {@code .cu}
     * @param name of the kernel
     */
    Kernel get(String file, String name) {
        throw new UnsupportedOperationException(backend.name() + ": Kernels.get " + file + "." + name);
    }

    @Override
    public void close() {}
}
