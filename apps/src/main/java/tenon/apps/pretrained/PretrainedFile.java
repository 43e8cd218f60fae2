package tenon.apps.pretrained;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import tenon.io.weights.KerasWeights;
import tenon.io.weights.MxnetParams;
import tenon.io.weights.NpzFile;
import tenon.io.weights.WeightsException;
import tenon.io.weights.WeightsFile;

/** Opens a file of weights by what it begins with, whatever it is called. */
final class PretrainedFile {
    /** Behind a user's block of HDF5, the signature stands at 512. */
    private static final int START = 520;

    private PretrainedFile() {}

    static WeightsFile open(Path path) {
        byte[] start;
        try (InputStream in = Files.newInputStream(path)) {
            start = in.readNBytes(START);
        } catch (IOException e) {
            String problem = Files.isDirectory(path)
                    ? "this is a folder"
                    : Files.exists(path) ? "cannot be read: " + e.getMessage() : "there is no such file";
            throw new WeightsException("weights " + path + ": " + problem, e);
        }
        if (has(start, 0, "PK\3\4") || has(start, 0, "PK\5\6")) {
            return NpzFile.open(path);
        }
        if (has(start, 0, "\u0089HDF\r\n\u001a\n") || has(start, 512, "\u0089HDF\r\n\u001a\n")) {
            return KerasWeights.open(path);
        }
        if (has(start, 0, "\u0012\1\0\0\0\0\0\0")) {
            return MxnetParams.open(path);
        }
        if (start.length > 8 && start[8] == '{') {
            return SafetensorsWeights.open(path);
        }
        boolean pickle = start.length > 1 && (start[0] & 0xFF) == 0x80 && start[1] >= 2 && start[1] <= 5;
        throw new WeightsException(
                "weights " + path + ": must be safetensors, MXNet .params, Keras .h5 or .npz, and begins"
                        + " like none of them"
                        + (pickle
                                ? " (a pickled PyTorch file can run any program when it is read; where you trust it:"
                                        + " safetensors.torch.save_file(torch.load(FILE, weights_only=True),"
                                        + " 'FILE.safetensors'))"
                                : ""));
    }

    private static boolean has(byte[] start, int at, String text) {
        byte[] wanted = text.getBytes(StandardCharsets.ISO_8859_1);
        if (start.length < at + wanted.length) {
            return false;
        }
        for (int i = 0; i < wanted.length; i++) {
            if (start[at + i] != wanted[i]) {
                return false;
            }
        }
        return true;
    }
}
