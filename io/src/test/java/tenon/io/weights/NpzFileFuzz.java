package tenon.io.weights;

import java.nio.file.Path;
import tenon.io.FuzzFile;

/** Any bytes are a NumPy archive, of which every array can be read, or a {@link WeightsException}. */
public final class NpzFileFuzz {
    private NpzFileFuzz() {}

    public static void fuzzerTestOneInput(byte[] bytes) {
        Path path = FuzzFile.of(bytes);
        try (NpzFile file = NpzFile.open(path)) {
            FuzzedWeights.readAll(file);
        } catch (WeightsException e) {
            FuzzFile.checkMessage(e, "npz weights " + path);
        }
    }
}
