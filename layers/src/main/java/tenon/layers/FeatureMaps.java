package tenon.layers;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import tenon.engine.Precision;
import tenon.engine.Scope;
import tenon.engine.Tensor;
import tenon.engine.ops.Casts;
import tenon.engine.ops.Reshape;

/**
 * What a network computes on its way, at layers by name: the maps that a detector's heads look at. The layers need not be children of the network; those
 * behind the last one named do not run. Only the named layers are watched, so that all others run as they do in {@link Module#apply}.
 *
 * <pre>{@code
 * FeatureMaps maps = FeatureMaps.of(backbone, MobileNetV2.SSD_MAPS);
 * Tensor[] map = maps.apply(images);   // [N, 19, 19, 576] and [N, 10, 10, 1280] for [N, 300, 300, 3]
 * }</pre>
 */
public final class FeatureMaps {
    private final Sequential network;
    private final List<Module> watched;
    /** Children of the network that run. */
    private final List<Module> run;

    private FeatureMaps(Sequential network, List<Module> watched, List<Module> run) {
        this.network = network;
        this.watched = watched;
        this.run = run;
    }

    /**
     * @param names dotted, relative to the network; all different
     * @throws IllegalArgumentException when there is no layer of a name
     */
    public static FeatureMaps of(Sequential network, Collection<String> names) {
        if (names.isEmpty() || new HashSet<>(names).size() < names.size() || names.contains("")) {
            throw new IllegalArgumentException(
                    "feature maps: layers must be named, each once, and not the network itself: names=" + names);
        }
        List<Module> watched = names.stream().map(network::module).toList();
        List<String> children = new ArrayList<>(network.children().keySet());
        int last = names.stream()
                .mapToInt(name -> children.indexOf(name.split("\\.")[0]))
                .max()
                .orElseThrow();
        return new FeatureMaps(
                network, watched, List.copyOf(network.children().values()).subList(0, last + 1));
    }

    /**
     * Runs the network as far as the last layer named.
     *
     * @return the layers' outputs in the order of their names, in the current scope, with their gradient history; in the input's dtype
     * @throws IllegalStateException when a layer did not run, because the layer that holds it left it out
     */
    public Tensor[] apply(Tensor input) {
        Scope caller = Scope.current();
        Tensor[] maps = new Tensor[watched.size()];
        ApplyListener[] before = new ApplyListener[maps.length];
        for (int i = 0; i < maps.length; i++) {
            before[i] = watched.get(i).exchangeListener(new Watcher(i, maps, before, input, caller));
        }
        try (Scope _ = Scope.openLocal(network.path())) {
            Tensor x = network.precision() == Precision.FP32
                    ? input
                    : Casts.cast(input, network.precision().dtype());
            for (int i = 0; i < run.size(); i++) {
                // The input is the caller's, who may have use for it.
                x = x == input ? run.get(i).apply(x) : Module.next(run.get(i), x);
            }
        } finally {
            for (int i = 0; i < maps.length; i++) {
                watched.get(i).exchangeListener(before[i]);
            }
        }
        for (int i = 0; i < maps.length; i++) {
            if (maps[i] == null) {
                throw new IllegalStateException("feature maps: layer '"
                        + watched.get(i).path() + "' did not run (name the layer that holds it)");
            }
        }
        return maps;
    }

    /** Keeps a layer's output; whoever listened before still hears of it. */
    private record Watcher(int number, Tensor[] maps, ApplyListener[] others, Tensor input, Scope target)
            implements ApplyListener {
        @Override
        public void before(Module module, Tensor given) {
            if (others[number] != null) {
                others[number].before(module, given);
            }
        }

        @Override
        public void after(Module module, Tensor given, Tensor output) {
            // A handle of its own: the layer's caller closes the other when it has used it.
            Tensor kept = output.dtype() == input.dtype()
                    ? Reshape.reshape(output, output.shape())
                    : Casts.cast(output, input.dtype());
            maps[number] = kept.moveTo(target);
            if (others[number] != null) {
                others[number].after(module, given, output);
            }
        }
    }

    @Override
    public String toString() {
        return "FeatureMaps("
                + String.join(", ", watched.stream().map(Module::path).toList()) + ")";
    }
}
