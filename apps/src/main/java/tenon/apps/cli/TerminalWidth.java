package tenon.apps.cli;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/** How many columns the terminal has that standard output goes to. It is asked each time, as windows change. */
final class TerminalWidth {
    /** Where nothing tells it. */
    static final int USUAL = 80;

    private static final int STDOUT = 1;
    /** The request {@code TIOCGWINSZ}. */
    private static final long WINDOW_SIZE = System.getProperty("os.name").startsWith("Mac") ? 0x4008_7468L : 0x5413L;
    /** {@code struct winsize}: rows, columns, and both in pixels. */
    private static final long WINDOW_SIZE_BYTES = 4 * Short.BYTES;

    private static final MethodHandle IOCTL = ioctl();

    private TerminalWidth() {}

    static int columns() {
        return columns(System.getenv("COLUMNS"), ofStandardOut());
    }

    /**
     * @param wanted what the user says ({@code COLUMNS}), or null
     * @param real 0 where the system does not tell it
     */
    static int columns(String wanted, int real) {
        if (wanted != null && wanted.matches("[1-9]\\d{0,4}")) {
            return Integer.parseInt(wanted);
        }
        return real > 0 ? real : USUAL;
    }

    private static int ofStandardOut() {
        if (IOCTL == null) {
            return 0;
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment size = arena.allocate(WINDOW_SIZE_BYTES, Short.BYTES);
            int status = (int) IOCTL.invokeExact(STDOUT, WINDOW_SIZE, size);
            return status == 0 ? Short.toUnsignedInt(size.getAtIndex(ValueLayout.JAVA_SHORT, 1)) : 0;
        } catch (Throwable e) {
            throw new IllegalStateException("ioctl(" + STDOUT + ", TIOCGWINSZ) failed", e);
        }
    }

    @SuppressWarnings("restricted")
    private static MethodHandle ioctl() {
        Linker linker = Linker.nativeLinker();
        FunctionDescriptor type = FunctionDescriptor.of(
                ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG, ValueLayout.ADDRESS);
        return linker.defaultLookup()
                .find("ioctl")
                .map(address -> linker.downcallHandle(address, type, Linker.Option.firstVariadicArg(2)))
                .orElse(null);
    }
}
