package tenon.apps;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Ends the launcher's filter on standard error. The JVM announces incubator modules before any code runs, so the launcher starts it with
 * standard error piped through a filter, and the real one as the descriptor that {@code TENON_STDERR} names. Native libraries write to
 * descriptor 2 themselves, hence the system calls.
 */
public final class StandardError {
    private static final int STDERR = 2;

    private StandardError() {}

    /** Makes the real standard error descriptor 2 again. Does nothing where the launcher did not set a filter up. */
    @SuppressWarnings("restricted")
    public static void restore() {
        String real = System.getenv("TENON_STDERR");
        if (real == null) {
            return;
        }
        Linker linker = Linker.nativeLinker();
        FunctionDescriptor dup2 =
                FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT);
        MemorySegment address = linker.defaultLookup().findOrThrow("dup2");
        try {
            int _ = (int) linker.downcallHandle(address, dup2).invokeExact(Integer.parseInt(real), STDERR);
        } catch (Throwable e) {
            throw new IllegalStateException("dup2(" + real + ", " + STDERR + ") failed", e);
        }
    }
}
