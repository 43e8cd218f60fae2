package tenon.io.weights;

import java.nio.file.Path;
import tenon.io.FuzzFile;

/** Any bytes are MXNet's arrays, of which every array can be read, or a {@link WeightsException}. */
public final class MxnetParamsFuzz {
    private MxnetParamsFuzz() {}

    public static void fuzzerTestOneInput(byte[] bytes) {
        Path path = FuzzFile.of(bytes);
        try (MxnetParams file = MxnetParams.open(path)) {
            FuzzedWeights.readAll(file);
        } catch (WeightsException e) {
            FuzzFile.checkMessage(e, "mxnet weights " + path);
        }
    }
}
