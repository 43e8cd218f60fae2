package tenon.engine.nativelib;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import jcuda.driver.JCudaDriver;
import jcuda.jcublas.JCublas2;
import jcuda.jcudnn.JCudnn;
import tenon.engine.DeviceException;

/**
 * Loads JCuda's own libraries and, where they know the statuses, turns its exceptions on: it returns status numbers unless told otherwise. They bind to whatever {@link CudaLibraries} has loaded.
 *
 * <p>JCuda unpacks them into the system's temporary folder, non-atomically. Unpacked before, into {@link NativeDirectory}, they are taken as they are.
 */
public final class JcudaNatives {
    private static final String TEMPORARY = "java.io.tmpdir";
    private static final String SUFFIX = "-12.6.0-linux-x86_64.so";

    private JcudaNatives() {}

    /** For {@link JCudaDriver}. Call it after {@link CudaLibraries#load}. */
    public static void driver() {
        load("JCudaDriver", () -> JCudaDriver.setExceptionsEnabled(true));
    }

    /** For {@link JCudnn}, whose statuses are for the caller to check: its exceptions do not know those of cuDNN 9. */
    public static void cudnn() {
        load("JCudnn", () -> JCudnn.setExceptionsEnabled(false));
    }

    /** For {@link JCublas2}, which takes cuBLAS 12 only. */
    public static void cublas() {
        load("JCublas2", () -> {
            JCublas2.initialize();
            JCublas2.setExceptionsEnabled(true);
        });
    }

    private static synchronized void load(String name, Runnable initialize) {
        Path folder = NativeDirectory.folder().resolve("jcuda");
        unpack(folder, "lib" + name + SUFFIX);
        String before = System.getProperty(TEMPORARY);
        System.setProperty(TEMPORARY, folder.toString());
        try {
            initialize.run();
        } catch (LinkageError e) {
            throw new DeviceException(
                    "cuda: JCuda's library lib" + name + SUFFIX + " does not load: " + e.getMessage());
        } finally {
            System.setProperty(TEMPORARY, before);
        }
    }

    private static void unpack(Path folder, String file) {
        Path target = folder.resolve(file);
        if (Files.exists(target)) {
            return;
        }
        try (InputStream in = JCudaDriver.class.getClassLoader().getResourceAsStream("lib/" + file)) {
            if (in == null) {
                throw new DeviceException("cuda: JCuda's natives are not on the class path: lib/" + file);
            }
            Files.createDirectories(folder);
            Path part = Files.createTempFile(folder, file, ".part");
            Files.copy(in, part, StandardCopyOption.REPLACE_EXISTING);
            Files.move(part, target, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            throw new DeviceException("cuda: JCuda's natives cannot be unpacked to " + folder + ": " + e);
        }
    }
}
