package tenon.apps;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import tenon.apps.training.Augmentation;
import tenon.apps.training.Classifier;
import tenon.apps.training.NetworkSpec;
import tenon.apps.training.SavedModel;
import tenon.engine.Generator;
import tenon.engine.GradMode;
import tenon.engine.Scope;
import tenon.engine.Tensor;
import tenon.engine.backend.Backend;
import tenon.engine.backend.cpu.CpuBackend;
import tenon.io.data.Normalization;
import tenon.layers.Module;

/** Model files of networks that nobody trained. */
public final class TestModels {
    public static final Normalization NORMALIZATION =
            new Normalization(new float[] {120, 110, 100}, new float[] {60, 65, 70});

    private TestModels() {}

    /**
     * Writes a network for square colour pictures of the given side, always the same: with random weights, and running statistics of a batch of noise, without which
     * deep networks say the same about everything.
     */
    public static void write(
            Path file, NetworkSpec.Kind kind, int side, Augmentation augmentation, List<String> classes)
            throws IOException {
        try (Backend backend = CpuBackend.open(1);
                Scope _ = Scope.open("model", backend);
                var _ = GradMode.noGrad()) {
            Generator.current().manualSeed(3);
            NetworkSpec spec = new NetworkSpec(kind, side, side, 3, classes.size(), 1);
            Module network = spec.build();
            Random random = new Random(2);
            float[] noise = new float[16 * side * side * 3];
            for (int i = 0; i < noise.length; i++) {
                noise[i] = random.nextFloat() * 4 - 2;
            }
            network.train();
            network.apply(Tensor.of(noise, 16, side, side, 3));
            SavedModel.write(file, new Classifier(spec, network, NORMALIZATION, augmentation, classes));
        }
    }
}
