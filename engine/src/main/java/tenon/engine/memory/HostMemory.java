package tenon.engine.memory;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Locale;

/**
 * The C library's aligned memory, called through the foreign-function API: 64-byte aligned, and blocks of 2 MiB or more aligned to and advised
 * to huge pages, because a fresh 4 KiB page fault costs more than the arithmetic on that page.
 */
public final class HostMemory implements CachingAllocator.Source {
    private static final long HUGE_PAGE = 2L << 20;
    private static final int MADV_HUGEPAGE = 14;
    private static final MethodHandle ALIGNED_ALLOC = find(
            "aligned_alloc", FunctionDescriptor.of(ValueLayout.ADDRESS, ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG));
    private static final MethodHandle FREE = find("free", FunctionDescriptor.ofVoid(ValueLayout.ADDRESS));
    private static final MethodHandle MADVISE = find(
            "madvise",
            FunctionDescriptor.of(
                    ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.JAVA_LONG, ValueLayout.JAVA_INT));
    private static final boolean LINUX =
            System.getProperty("os.name").toLowerCase(Locale.ROOT).contains("linux");

    @SuppressWarnings("restricted")
    private static MethodHandle find(String name, FunctionDescriptor descriptor) {
        Linker linker = Linker.nativeLinker();
        return linker.defaultLookup()
                .find(name)
                .map(address -> linker.downcallHandle(address, descriptor))
                .orElse(null);
    }

    @Override
    @SuppressWarnings("restricted")
    public Storage allocate(Allocator owner, long byteSize) {
        boolean huge = byteSize >= HUGE_PAGE;
        long alignment = huge ? HUGE_PAGE : 64;
        long rounded = (byteSize + 63) / 64 * 64;
        try {
            MemorySegment block = (MemorySegment) ALIGNED_ALLOC.invokeExact(alignment, rounded);
            if (block.address() == 0) {
                return null;
            }
            if (huge && LINUX && MADVISE != null) {
                // Advice only: a kernel without huge pages answers with an error that changes nothing.
                int _ = (int) MADVISE.invokeExact(block, rounded, MADV_HUGEPAGE);
            }
            return new Storage(owner, block.reinterpret(byteSize), block.address(), byteSize);
        } catch (Throwable e) {
            throw new IllegalStateException("aligned_alloc of " + byteSize + " bytes failed", e);
        }
    }

    @Override
    public void free(Storage storage) {
        try {
            FREE.invokeExact(storage.block());
        } catch (Throwable e) {
            throw new IllegalStateException("free failed", e);
        }
    }

    @Override
    public String name() {
        return "cpu";
    }
}
