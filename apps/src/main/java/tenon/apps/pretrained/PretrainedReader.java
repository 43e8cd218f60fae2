package tenon.apps.pretrained;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Optional;
import tenon.apps.training.NetworkSpec;
import tenon.apps.training.NetworkVariant;
import tenon.apps.training.SavedModel;
import tenon.apps.training.Scaling;
import tenon.apps.training.WeightsReader;
import tenon.layers.Module;

/** What {@code train --weights} reads: runs, checkpoints, model files, and everything that {@code import} does. */
public final class PretrainedReader implements WeightsReader {
    @Override
    public NetworkVariant variant(Path weights, NetworkSpec.Kind kind) {
        try {
            Optional<NetworkSpec> own = SavedModel.spec(weights);
            if (own.isPresent() && own.get().kind() == kind) {
                return own.get().variant();
            }
            return PretrainedWeights.variant(SavedModel.weights(weights), kind);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public Loaded load(Path weights, NetworkSpec spec, Module network) {
        try {
            PretrainedWeights.Loaded loaded = PretrainedWeights.loadAll(
                    SavedModel.weights(weights), spec, network, PretrainedWeights.Leniency.OTHER_CLASSES);
            Scaling scaling = loaded.settings().scaling();
            return new Loaded(
                    loaded.report().toString(),
                    loaded.report().toMap(),
                    loaded.report().initialized(),
                    scaling == null || scaling.isMeasured() ? null : scaling);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
