package tenon.engine.trace;

/** Told of every kernel that a {@link TracedBackend} ran, on the thread that ran it. */
@FunctionalInterface
public interface KernelListener {
    /** @param call holds the kernel's own arguments: read their shapes now, their tensors may be closed and re-used afterwards */
    void ran(KernelCall call);
}
