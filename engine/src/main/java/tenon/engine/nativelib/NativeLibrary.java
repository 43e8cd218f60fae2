package tenon.engine.nativelib;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;
import org.lwjgl.system.APIUtil;
import org.lwjgl.system.Configuration;
import org.lwjgl.system.SharedLibrary;
import tenon.engine.DeviceException;

/** A library that LWJGL's loader has loaded by its path, and its functions. Stays loaded: JCuda's natives, and libraries among each other, bind to it by name. */
public final class NativeLibrary {
    private final Path path;
    private final SharedLibrary library;

    private NativeLibrary(Path path, SharedLibrary library) {
        this.path = path;
        this.library = library;
    }

    /** @throws UnsatisfiedLinkError with the loader's reason */
    static NativeLibrary load(Path path) {
        synchronized (NativeLibrary.class) {
            if (Configuration.SHARED_LIBRARY_EXTRACT_PATH.get() == null) {
                Configuration.SHARED_LIBRARY_EXTRACT_PATH.set(
                        NativeDirectory.folder().resolve("lwjgl").toString());
            }
        }
        return new NativeLibrary(path, APIUtil.apiCreateLibrary(path.toString()));
    }

    public Path path() {
        return path;
    }

    public boolean has(String function) {
        return library.getFunctionAddress(function) != 0;
    }

    /**
     * A function to call through the foreign-function API.
     *
     * @throws DeviceException where the library does not have it
     */
    @SuppressWarnings("restricted")
    public MethodHandle function(String name, FunctionDescriptor descriptor, Linker.Option... options) {
        long address = library.getFunctionAddress(name);
        if (address == 0) {
            throw new DeviceException(path + " has no function " + name + " (is it another release of the library?)");
        }
        return Linker.nativeLinker().downcallHandle(MemorySegment.ofAddress(address), descriptor, options);
    }
}
