package tenon.engine.backend.cuda;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import jcuda.jcudnn.JCudnn;
import tenon.engine.DeviceException;
import tenon.engine.TenonException;
import tenon.engine.nativelib.CudaLibraries;
import tenon.engine.nativelib.CudaPart;
import tenon.engine.nativelib.NativeLibrary;

/**
 * The one place where a failed cuDNN call becomes an exception of ours. cuDNN 9 has numbers of its own, thousands by category, that JCudnn's names do not know; 8 and before count from 1.
 */
final class CudnnStatus {
    static final int SUCCESS = 0;
    static final int NOT_SUPPORTED = 3000;

    private static final int CATEGORY = 1000;
    private static final int MESSAGE_LENGTH = 1024;

    private CudnnStatus() {}

    /**
     * @param op for messages, e.g. {@code conv2d}
     * @param call the function
     * @param status what it returned
     */
    static void check(String op, String call, int status) {
        if (status != SUCCESS) {
            throw new DeviceException(TenonException.where(op) + ": " + call + " failed: " + describe(status));
        }
    }

    /** Whether a call failed because there is no such algorithm for these sizes, or not on this device. */
    static boolean isUnsupported(int status) {
        return status / CATEGORY == 3 || status == 6 || status == 9 || status == 11;
    }

    /** Name, what cuDNN says about its last failure, and what to do. */
    private static String describe(int status) {
        String detail = lastError();
        return JCudnn.cudnnGetErrorString(status) + (detail.isEmpty() ? "" : ": " + detail) + " (" + advice(status)
                + ")";
    }

    /** cuDNN 9 keeps a sentence about the last failure. */
    private static String lastError() {
        NativeLibrary library = CudaLibraries.load().library(CudaPart.CUDNN);
        if (!library.has("cudnnGetLastErrorString")) {
            return "";
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment text = arena.allocate(MESSAGE_LENGTH);
            library.function(
                            "cudnnGetLastErrorString",
                            FunctionDescriptor.ofVoid(ValueLayout.ADDRESS, ValueLayout.JAVA_LONG))
                    .invokeExact(text, (long) MESSAGE_LENGTH);
            return text.getString(0).strip();
        } catch (Throwable e) {
            throw new IllegalStateException("cudnnGetLastErrorString failed", e);
        }
    }

    private static String advice(int status) {
        return switch (status < CATEGORY ? old(status) : status / CATEGORY) {
            case 1 -> "cuDNN did not start: are all its parts of one version, and is memory left? See ./tenon doctor";
            case 2 ->
                "cuDNN does not accept this call: CUDNN_LOGLEVEL_DBG=1 CUDNN_LOGDEST_DBG=stderr makes it say more";
            case 3 ->
                "this cuDNN has no such algorithm for this GPU or these sizes (of tensors of 2^31 elements it may have"
                        + " none): try a smaller batch, a newer cuDNN, or -Dtenon.cuda.deterministic=false";
            case 4 ->
                "an error inside cuDNN, or memory ran out: use a smaller batch or -Dtenon.cuda.workspace.limit=BYTES";
            default ->
                "an earlier operation may have failed, and the device's context is lost: start again, with"
                        + " -Dtenon.cuda.blocking=true to see which one it was";
        };
    }

    /** Category of a status of cuDNN 8. */
    private static int old(int status) {
        return switch (status) {
            case 1, 14 -> 1;
            case 3, 5 -> 2;
            case 6, 9, 11 -> 3;
            case 2, 4 -> 4;
            default -> 5;
        };
    }
}
