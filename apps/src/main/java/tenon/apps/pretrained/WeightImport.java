package tenon.apps.pretrained;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import tenon.engine.TenonException;
import tenon.engine.Tensor;
import tenon.io.weights.WeightsArray;
import tenon.io.weights.WeightsException;
import tenon.io.weights.WeightsFile;

/**
 * Puts the arrays of a file into the tensors of a network. Nothing is overwritten before names and shapes have been found to fit; values are looked at as they
 * are read, and an array with NaN, infinity or a negative variance is an error.
 */
final class WeightImport {
    private final NetworkLayers layers;
    private final WeightsFile file;
    private final NameMap map;
    private final PretrainedWeights.Leniency leniency;
    /** Names of arrays by names of tensors, for tensors that the map has a name for. */
    private final Map<String, String> arrays = new LinkedHashMap<>();
    /** What a norm's gamma is called where it is frozen here. */
    private final Set<String> frozenGammas = new LinkedHashSet<>();

    private final boolean newClassifier;

    WeightImport(NetworkLayers layers, WeightsFile file, NameMap map, PretrainedWeights.Leniency leniency) {
        this.layers = layers;
        this.file = file;
        this.map = map;
        this.leniency = leniency;
        Map<String, String> names = map.layers(layers.layers(), file.arrays().keySet());
        for (NetworkLayers.Layer layer : layers.layers()) {
            String name = names.get(layer.path());
            if (name != null) {
                layer.slots().forEach(slot -> arrays.put(slot.name(), array(name, slot)));
                if (layer.frozenGamma()) {
                    frozenGammas.add(name + map.convention().suffix(Role.GAMMA));
                }
            }
        }
        int own = layers.classifier().slots().getFirst().shape().getFirst();
        newClassifier = leniency.newClassifier() || leniency.otherClasses() && classes() != own;
    }

    private String array(String layer, Slot slot) {
        return map.convention().suffixes(slot).stream()
                .map(suffix -> layer + suffix)
                .filter(file.arrays()::containsKey)
                .findFirst()
                .orElse(layer + map.convention().suffix(slot));
    }

    /** How many of the network's tensors the file has, going by names. */
    int found() {
        return (int) arrays.values().stream()
                .filter(array -> file.arrays().containsKey(array))
                .count();
    }

    /** Number of classes of the network that the file's arrays belong to; 0 where they do not say. */
    int classes() {
        Slot slot = layers.classifier().slots().getFirst();
        WeightsArray array = file.arrays().get(arrays.get(slot.name()));
        if (array == null || array.shape().size() < 2) {
            return 0;
        }
        return map.convention() == Convention.KERAS
                ? array.shape().getLast()
                : array.shape().getFirst();
    }

    /**
     * Compares names and shapes, before a network is built of what the file says.
     *
     * @throws TenonException when something is missing or does not fit; the message says what to do
     */
    ImportReport check() {
        ImportReport report = report();
        check(report);
        return report;
    }

    /**
     * Overwrites the network's tensors.
     *
     * @param state of the network
     * @throws TenonException as {@link #check}
     */
    ImportReport into(Map<String, Tensor> state) {
        ImportReport report = check();
        boolean blueFirst = "bgr".equals(map.settings().get("channels"));
        for (Slot slot : layers.slots()) {
            if (report.matched().stream().anyMatch(match -> match.tensor().equals(slot.name()))) {
                float[] values = values(slot, arrays.get(slot.name()));
                if (blueFirst
                        && layers.first() != null
                        && slot == layers.first().slots().getFirst()) {
                    values = ElementOrder.reversedChannels(values, slot.shape().getLast());
                }
                state.get(slot.name()).upload(MemorySegment.ofArray(values));
            }
        }
        return report;
    }

    private ImportReport report() {
        List<ImportReport.Match> matched = new ArrayList<>();
        List<ImportReport.Missing> missing = new ArrayList<>();
        List<String> initialized = new ArrayList<>();
        Set<String> rest = new LinkedHashSet<>(file.arrays().keySet());
        String classifier = layers.classifier().path();
        for (Slot slot : layers.slots()) {
            String name = arrays.get(slot.name());
            WeightsArray array = name == null ? null : file.arrays().get(name);
            rest.remove(name);
            if (newClassifier && slot.layer().equals(classifier)) {
                initialized.add(slot.name());
            } else if (array == null) {
                missing.add(new ImportReport.Missing(slot.name(), name));
            } else {
                matched.add(new ImportReport.Match(slot.name(), name, array.shape()));
            }
        }
        List<String> ignored = rest.stream().filter(this::isIgnored).toList();
        rest.removeAll(ignored);
        List<String> unused = ignored.stream().filter(this::isOtherGamma).toList();
        return new ImportReport(map.name(), matched, missing, initialized, List.copyOf(rest), ignored, unused);
    }

    /** MXNet keeps, and with {@code fix_gamma} does not use, the gammas of norms that have them frozen. */
    private boolean isIgnored(String array) {
        return map.ignores(array)
                || frozenGammas.contains(array) && (map.convention() == Convention.MXNET || isAllOnes(array));
    }

    /** Whether the file's network scales by gammas that this one keeps at 1. */
    boolean needsLearnedGamma() {
        return map.convention() != Convention.MXNET
                && file.arrays().keySet().stream().anyMatch(this::isOtherGamma);
    }

    private boolean isOtherGamma(String array) {
        return frozenGammas.contains(array) && !isAllOnes(array);
    }

    private boolean isAllOnes(String array) {
        for (float value : file.read(array)) {
            if (value != 1) {
                return false;
            }
        }
        return true;
    }

    private void check(ImportReport report) {
        if (!report.missing().isEmpty() && !leniency.partial()) {
            throw new TenonException(file.where() + ": " + report.missing().size() + " of " + report.wanted()
                    + " tensors are missing: " + ImportReport.shortened(report.missing())
                    + (report.leftOver().isEmpty()
                            ? ""
                            : "; left over in the file: " + ImportReport.shortened(report.leftOver()))
                    + " (is it this network, and are its names '" + map.name()
                    + "'? ./tenon import --partial takes the rest and leaves these at their initialization)");
        }
        if (report.matched().isEmpty()) {
            throw new TenonException(
                    file.where() + ": there is nothing in it for this network under the names '" + map.name() + "'");
        }
        List<String> frozen =
                report.leftOver().stream().filter(frozenGammas::contains).toList();
        if (!frozen.isEmpty()) {
            throw new TenonException(file.where()
                    + ": has gammas other than 1 for norms whose gamma this network keeps at 1: "
                    + ImportReport.shortened(frozen) + " (--learned-gamma makes it the network that uses them)");
        }
        for (Slot slot : layers.slots()) {
            String name = arrays.get(slot.name());
            WeightsArray array = name == null ? null : file.arrays().get(name);
            boolean used = array != null && !report.initialized().contains(slot.name());
            if (used && !array.type().isFloating()) {
                throw new WeightsException(
                        file.where() + ": '" + name + "' must hold floating-point numbers: type=" + array.type());
            }
            ElementOrder order = new ElementOrder(slot, map.convention());
            if (used && !order.fits(array.shape())) {
                boolean classes = slot.layer().equals(layers.classifier().path()) && classes() > 0;
                throw new TenonException(file.where() + ": '" + name + "' must have the shape " + order + " for "
                        + slot.name() + ": shape=" + array.shape()
                        + (classes
                                ? " (the file knows " + classes() + " classes: leave --classes out, or give"
                                        + " --new-classifier to keep the last layer at its initialization)"
                                : " (is it this network at this input size?)"));
            }
        }
    }

    private float[] values(Slot slot, String name) {
        float[] values = file.read(name);
        for (int i = 0; i < values.length; i++) {
            if (!Float.isFinite(values[i]) || slot.role() == Role.VARIANCE && values[i] < 0) {
                throw new WeightsException(file.where() + ": '" + name + "' must hold "
                        + (slot.role() == Role.VARIANCE ? "variances" : "finite numbers") + ": element " + i + "="
                        + values[i] + " (the file is damaged, or its training had diverged)");
            }
        }
        return new ElementOrder(slot, map.convention()).toTenon(values);
    }
}
