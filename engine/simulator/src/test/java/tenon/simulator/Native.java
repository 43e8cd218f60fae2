package tenon.simulator;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Calls functions of one simulated library by name. A pointer is a memory segment, or a long for device memory, handles and null. */
final class Native {
    private final SymbolLookup library;

    @SuppressWarnings("restricted") // loads a library
    Native(Path file) {
        library = SymbolLookup.libraryLookup(file, Arena.global());
    }

    /** The status. */
    int call(String name, Object... arguments) {
        return (int) invoke(ValueLayout.JAVA_INT, name, arguments);
    }

    @SuppressWarnings("restricted") // a text of unknown length
    String text(String name, Object... arguments) {
        MemorySegment text = (MemorySegment) invoke(ValueLayout.ADDRESS, name, arguments);
        return text.reinterpret(Long.MAX_VALUE).getString(0);
    }

    /** Creates something through a function whose first argument (or the one after the given ones) is where to put it. */
    long create(String name, Object... before) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment result = arena.allocate(8);
            List<Object> arguments = new ArrayList<>(List.of(before));
            arguments.add(result);
            int status = call(name, arguments.toArray());
            if (status != 0) {
                throw new AssertionError(name + ": status " + status);
            }
            return result.get(ValueLayout.JAVA_LONG, 0);
        }
    }

    @SuppressWarnings("restricted") // calls a library
    private Object invoke(MemoryLayout result, String name, Object... arguments) {
        MemoryLayout[] layouts = new MemoryLayout[arguments.length];
        for (int i = 0; i < arguments.length; i++) {
            layouts[i] = switch (arguments[i]) {
                case Integer _ -> ValueLayout.JAVA_INT;
                case Long _ -> ValueLayout.JAVA_LONG;
                case Float _ -> ValueLayout.JAVA_FLOAT;
                case Double _ -> ValueLayout.JAVA_DOUBLE;
                case MemorySegment _ -> ValueLayout.ADDRESS;
                default -> throw new IllegalArgumentException("no native type for " + arguments[i]);
            };
        }
        MethodHandle handle =
                Linker.nativeLinker().downcallHandle(library.findOrThrow(name), FunctionDescriptor.of(result, layouts));
        try {
            return handle.invokeWithArguments(arguments);
        } catch (Throwable e) {
            throw new AssertionError(name, e);
        }
    }
}
