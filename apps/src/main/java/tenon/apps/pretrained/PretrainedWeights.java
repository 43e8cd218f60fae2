package tenon.apps.pretrained;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Collectors;
import tenon.apps.cli.ImageSize;
import tenon.apps.cli.UsageException;
import tenon.apps.onnx.NetworkGraph;
import tenon.apps.training.NetworkSpec;
import tenon.apps.training.NetworkVariant;
import tenon.engine.TenonException;
import tenon.io.weights.WeightsFile;
import tenon.layers.Module;

/** Networks filled from files of weights, of this program and of others. */
public final class PretrainedWeights {
    private PretrainedWeights() {}

    /**
     * Which network a file's weights are for, as far as the file and its name map do not decide.
     *
     * @param input null for the original experiment's
     * @param classes 0 for the file's
     * @param multiplier of the number of filters
     * @param variant what differs from the name map's variant
     * @param names of the map; null for the one that finds most
     */
    public record Wanted(
            NetworkSpec.Kind kind,
            ImageSize input,
            int classes,
            double multiplier,
            NetworkVariant variant,
            String names) {}

    /**
     * @param partial whether tensors that the file lacks may stay at their initialization
     * @param newClassifier whether the last layer stays at its initialization, whatever the file has
     * @param otherClasses whether it does so where the file has none, or one of another number of classes
     */
    public record Leniency(boolean partial, boolean newClassifier, boolean otherClasses) {
        public static final Leniency NONE = new Leniency(false, false);
        public static final Leniency OTHER_CLASSES = new Leniency(false, false, true);

        public Leniency(boolean partial, boolean newClassifier) {
            this(partial, newClassifier, false);
        }
    }

    /** A name map with the network that it goes with. */
    private record Candidate(NameMap map, NetworkSpec spec, WeightImport weights) {}

    /**
     * Overwrites a network's parameters and buffers with a file's: a model file of this program, safetensors, MXNet, Keras or NumPy. For starting a
     * training run from pretrained weights.
     *
     * @param spec what the network was built from
     * @throws TenonException when tensors are missing or do not fit; nothing has been overwritten then
     */
    public static ImportReport load(Path weights, NetworkSpec spec, Module network, Leniency leniency) {
        return loadAll(weights, spec, network, leniency).report;
    }

    /** @param settings of the name map: how pictures were prepared for the weights */
    record Loaded(ImportReport report, MapSettings settings) {}

    static Loaded loadAll(Path weights, NetworkSpec spec, Module network, Leniency leniency) {
        try (WeightsFile file = PretrainedFile.open(weights)) {
            NetworkLayers layers = NetworkLayers.of(spec::build, spec.input(1));
            Candidate best = best(
                    file,
                    spec.kind(),
                    NameMap.of(spec.kind().toString()).stream()
                            .map(map -> new Candidate(map, spec, weights(layers, file, map, leniency)))
                            .toList());
            MapSettings settings = MapSettings.of(best.map);
            NetworkSpec theirs = withVariant(spec, settings.variant());
            if (!NetworkGraph.of(spec::build, spec.input(1)).equals(NetworkGraph.of(theirs::build, theirs.input(1)))) {
                throw new UsageException(file.where() + ": weights with the names '" + best.map.name()
                        + "' belong to another variant of " + spec.kind() + ": "
                        + settings.variant().options());
            }
            return new Loaded(best.weights.into(network.state()), settings);
        }
    }

    /** The variant of a network that a file's weights are for, as far as its names and its batch norms' gammas tell. */
    static NetworkVariant variant(Path weights, NetworkSpec.Kind kind) {
        try (WeightsFile file = PretrainedFile.open(weights)) {
            return best(file, new Wanted(kind, null, 0, 1, NetworkVariant.ORIGINAL, null), Leniency.OTHER_CLASSES)
                    .spec
                    .variant();
        }
    }

    /** A network read from a file. */
    static final class Imported {
        final NetworkSpec spec;
        final Module network;
        final MapSettings settings;
        final ImportReport report;

        private Imported(NetworkSpec spec, Module network, MapSettings settings, ImportReport report) {
            this.spec = spec;
            this.network = network;
            this.settings = settings;
            this.report = report;
        }
    }

    /** Builds the network in the current scope and fills it. */
    static Imported read(Path weights, Wanted wanted, Leniency leniency) {
        try (WeightsFile file = PretrainedFile.open(weights)) {
            Candidate best = best(file, wanted, leniency);
            best.weights.check();
            Module network = best.spec.build();
            ImportReport report = best.weights.into(network.state());
            return new Imported(best.spec, network, MapSettings.of(best.map), report);
        }
    }

    private static Candidate best(WeightsFile file, Wanted wanted, Leniency leniency) {
        List<Candidate> candidates = new ArrayList<>();
        for (NameMap map : maps(wanted)) {
            candidates.add(candidate(file, map, wanted, leniency));
        }
        return best(file, wanted.kind, candidates);
    }

    private static List<NameMap> maps(Wanted wanted) {
        List<NameMap> all = NameMap.of(wanted.kind.toString());
        if (wanted.names == null) {
            return all;
        }
        List<NameMap> named =
                all.stream().filter(map -> map.names().contains(wanted.names)).toList();
        if (named.isEmpty()) {
            throw new UsageException(
                    "--names must be one of " + names(all) + " for " + wanted.kind + ": " + wanted.names);
        }
        return named;
    }

    static String names(List<NameMap> maps) {
        return maps.stream().flatMap(map -> map.names().stream()).distinct().collect(Collectors.joining(", "));
    }

    private static Candidate candidate(WeightsFile file, NameMap map, Wanted wanted, Leniency leniency) {
        NetworkVariant variant = wanted.variant.over(MapSettings.of(map).variant());
        Candidate plain = candidate(file, map, wanted, leniency, variant);
        return plain.weights.needsLearnedGamma()
                ? candidate(file, map, wanted, leniency, variant.withLearnedGamma(true))
                : plain;
    }

    private static Candidate candidate(
            WeightsFile file, NameMap map, Wanted wanted, Leniency leniency, NetworkVariant variant) {
        int classes = wanted.classes;
        if (classes == 0) {
            // Layers' names do not depend on it.
            NetworkSpec any = spec(wanted, 2, variant);
            classes = weights(NetworkLayers.of(any::build, any.input(1)), file, map, leniency)
                    .classes();
        }
        NetworkSpec spec = spec(wanted, Math.max(2, classes), variant);
        return new Candidate(map, spec, weights(NetworkLayers.of(spec::build, spec.input(1)), file, map, leniency));
    }

    private static WeightImport weights(NetworkLayers layers, WeightsFile file, NameMap map, Leniency leniency) {
        return new WeightImport(layers, file, map, leniency);
    }

    private static Candidate best(WeightsFile file, NetworkSpec.Kind kind, List<Candidate> candidates) {
        Candidate best = candidates.stream()
                .max(Comparator.comparingInt(candidate -> candidate.weights.found()))
                .orElseThrow();
        if (best.weights.found() == 0) {
            throw new TenonException(file.where() + ": none of its names is one that " + kind + " has as "
                    + names(candidates.stream().map(Candidate::map).toList()) + ": "
                    + ImportReport.shortened(List.copyOf(file.arrays().keySet())) + " (is it this network?)");
        }
        return best;
    }

    private static NetworkSpec spec(Wanted wanted, int classes, NetworkVariant variant) {
        ImageSize input = wanted.input == null ? wanted.kind.defaultInput() : wanted.input;
        return new NetworkSpec(
                wanted.kind,
                input.height(),
                input.width(),
                input.channels(),
                classes,
                wanted.kind.defaultNormMomentum(),
                wanted.multiplier,
                variant);
    }

    /** The same network as a map's weights are for. */
    static NetworkSpec withVariant(NetworkSpec spec, NetworkVariant theirs) {
        return new NetworkSpec(
                spec.kind(),
                spec.height(),
                spec.width(),
                spec.channels(),
                spec.classes(),
                spec.normMomentum(),
                spec.multiplier(),
                theirs.over(spec.variant()));
    }
}
