package tenon.apps.features;

import java.util.ArrayList;
import java.util.List;
import tenon.apps.cli.UsageException;
import tenon.engine.DType;
import tenon.engine.GradMode;
import tenon.engine.Scope;
import tenon.engine.Tensor;
import tenon.engine.ops.Casts;
import tenon.engine.ops.Pooling;
import tenon.layers.ApplyListener;
import tenon.layers.Dense;
import tenon.layers.Module;

/**
 * Reads what a network computes on its way: the input of its last dense layer, or the output of a layer by name. Maps [N, H, W, C] are averaged over H and
 * W, or taken as they are, row by row.
 */
final class FeatureExtractor {
    private final Module network;
    private final Module layer;
    private final boolean before;
    private final boolean average;

    private FeatureExtractor(Module network, Module layer, boolean before, boolean average) {
        this.network = network;
        this.layer = layer;
        this.before = before;
        this.average = average;
    }

    /** @param layer dotted name of the layer whose output counts, or null for the input of the last dense one */
    static FeatureExtractor of(Module network, String layer, boolean average) {
        if (layer != null) {
            Module found = null;
            List<String> names = new ArrayList<>();
            for (Module module : modules(network)) {
                names.add(module.path());
                found = module.path().equals(layer) ? module : found;
            }
            if (found == null) {
                throw new UsageException("--layer names no layer of the network: " + layer + " (there are: "
                        + String.join(", ", names.subList(1, names.size())) + ")");
            }
            return new FeatureExtractor(network, found, false, average);
        }
        Module last = null;
        for (Module module : modules(network)) {
            last = module instanceof Dense ? module : last;
        }
        if (last == null) {
            throw new UsageException(
                    "the network has no dense layer whose input would be the features: name a layer with"
                            + " --layer (./tenon summary lists them)");
        }
        return new FeatureExtractor(network, last, true, average);
    }

    private static List<Module> modules(Module network) {
        List<Module> all = new ArrayList<>();
        network.walk(all::add);
        return all;
    }

    /** Name of what is read, for people. */
    String description() {
        return (before ? "input of " : "output of ") + layer.path();
    }

    /** F32 [N, D] of a batch, in the current scope. */
    Tensor features(Tensor batch) {
        Tensor[] seen = new Tensor[1];
        network.eval();
        network.listen(new ApplyListener() {
            @Override
            public void before(Module module, Tensor input) {
                if (before && module == layer) {
                    seen[0] = input.retain();
                }
            }

            @Override
            public void after(Module module, Tensor input, Tensor output) {
                if (!before && module == layer) {
                    seen[0] = output.retain();
                }
            }
        });
        try (var _ = GradMode.noGrad();
                Scope _ = Scope.openLocal("features")) {
            network.apply(batch);
            Tensor values = seen[0];
            Tensor wide = values.dtype() == DType.F32 ? values : Casts.cast(values, DType.F32);
            Tensor pooled = average && wide.shape().rank() == 4 ? Pooling.globalAvgPool2d(wide) : wide;
            int n = pooled.shape().dim(0);
            return pooled.view(tenon.engine.Shape.of(n, (int) (pooled.elementCount() / n)))
                    .moveTo(Scope.current().parent());
        } finally {
            network.listen(null);
            if (seen[0] != null) {
                seen[0].close();
            }
        }
    }
}
