package tenon.io.weights;

import java.nio.file.Path;
import tenon.io.FuzzFile;

/** Any bytes are Keras's weights, of which every array can be read, or a {@link WeightsException}. */
public final class KerasWeightsFuzz {
    private KerasWeightsFuzz() {}

    public static void fuzzerTestOneInput(byte[] bytes) {
        Path path = FuzzFile.of(bytes);
        try (KerasWeights file = KerasWeights.open(path)) {
            FuzzedWeights.readAll(file);
        } catch (WeightsException e) {
            // The superblock is read by what data sets in HDF5 are read by.
            if (!e.getMessage().startsWith("hdf5 file " + path)) {
                FuzzFile.checkMessage(e, "keras weights " + path);
            }
        }
    }
}
