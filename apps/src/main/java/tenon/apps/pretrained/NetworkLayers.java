package tenon.apps.pretrained;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import tenon.engine.DType;
import tenon.engine.GradMode;
import tenon.engine.Scope;
import tenon.engine.Shape;
import tenon.engine.TenonException;
import tenon.engine.Tensor;
import tenon.engine.backend.shapes.ShapeBackend;
import tenon.layers.ApplyListener;
import tenon.layers.BatchNorm;
import tenon.layers.Conv2d;
import tenon.layers.Dense;
import tenon.layers.Flatten;
import tenon.layers.Module;
import tenon.layers.PRelu;
import tenon.layers.Parameter;

/**
 * The layers of a network that have weights, in the order of {@code Module.state()}, which is that of registration; found by running the network on the
 * back-end without memory.
 */
final class NetworkLayers {
    /** What a layer is to a name map. */
    enum Kind {
        CONV,
        DENSE,
        NORM,
        PRELU
    }

    /**
     * @param depthwise whether it is a convolution with one channel per group
     * @param frozenGamma whether it is a batch norm without gamma
     */
    record Layer(String path, Kind kind, boolean depthwise, boolean frozenGamma, List<Slot> slots) {}

    private final List<Layer> layers = new ArrayList<>();
    private final Map<String, Shape> images = new LinkedHashMap<>();
    /** Paths of convolutions and dense layers in the order in which they run. */
    private final List<String> executed = new ArrayList<>();

    private NetworkLayers() {}

    /**
     * @param network makes the network when called
     * @param input [N, H, W, C]
     */
    static NetworkLayers of(Supplier<Module> network, Shape input) {
        NetworkLayers found = new NetworkLayers();
        try (var _ = Scope.open("layers", new ShapeBackend());
                var _ = GradMode.noGrad()) {
            Module root = network.get();
            root.eval();
            root.listen(found.new Listener());
            root.apply(Tensor.empty(input, DType.F32));
            root.walk(found::add);
            long tensors = found.slots().size();
            if (tensors != root.state().size()) {
                throw new IllegalStateException("every tensor of the network must belong to a layer of a known kind:"
                        + " state=" + root.state().keySet());
            }
        }
        return found;
    }

    private void add(Module module) {
        List<Slot> slots = new ArrayList<>();
        String path = module.path();
        switch (module) {
            case Conv2d conv -> {
                Shape filters = conv.weight().value().shape();
                boolean depthwise = conv.spec().groups() > 1 && filters.dim(3) == 1;
                slots.add(slot(path, conv.weight(), Role.FILTERS, null, depthwise));
                addBias(slots, path, conv.bias());
                layers.add(new Layer(path, Kind.CONV, depthwise, false, slots));
            }
            case Dense dense -> {
                slots.add(slot(path, dense.weight(), Role.ROWS, images.get(path), false));
                addBias(slots, path, dense.bias());
                layers.add(new Layer(path, Kind.DENSE, false, false, slots));
            }
            case BatchNorm norm -> {
                if (norm.gamma() != null) {
                    slots.add(slot(path, norm.gamma(), Role.GAMMA, null, false));
                }
                slots.add(slot(path, norm.beta(), Role.BETA, null, false));
                slots.add(
                        slot(path, norm.runningMean().name(), norm.runningMean().value(), Role.MEAN, null, false));
                slots.add(slot(
                        path,
                        norm.runningVariance().name(),
                        norm.runningVariance().value(),
                        Role.VARIANCE,
                        null,
                        false));
                layers.add(new Layer(path, Kind.NORM, false, norm.gamma() == null, slots));
            }
            case PRelu prelu -> {
                slots.add(slot(path, prelu.slope(), Role.SLOPE, null, false));
                layers.add(new Layer(path, Kind.PRELU, false, false, slots));
            }
            default -> {
                // It only contains others, or has no weights.
            }
        }
    }

    private static void addBias(List<Slot> slots, String path, Parameter bias) {
        if (bias != null) {
            slots.add(slot(path, bias, Role.BIAS, null, false));
        }
    }

    private static Slot slot(String path, Parameter parameter, Role role, Shape image, boolean depthwise) {
        return slot(path, parameter.name(), parameter.value(), role, image, depthwise);
    }

    private static Slot slot(String path, String name, Tensor value, Role role, Shape image, boolean depthwise) {
        List<Integer> shape = Arrays.stream(value.shape().toArray()).boxed().toList();
        return new Slot(name, path, role, shape, image, depthwise);
    }

    List<Layer> layers() {
        return layers;
    }

    List<Slot> slots() {
        return layers.stream().flatMap(layer -> layer.slots().stream()).toList();
    }

    /** The layer whose outputs are the classes: the last one with a weight per class. */
    Layer classifier() {
        return layer(executed.getLast());
    }

    /** The convolution that sees the picture; null where batch norm or a dense layer does. */
    Layer first() {
        Layer layer = layer(executed.getFirst());
        return layer.kind() == Kind.CONV && layers.getFirst() == layer ? layer : null;
    }

    private Layer layer(String path) {
        return layers.stream()
                .filter(layer -> layer.path().equals(path))
                .findFirst()
                .orElseThrow();
    }

    /** Notes what runs, and which dense layer meets a flattened image. */
    private final class Listener implements ApplyListener {
        private Shape flattened;

        @Override
        public void before(Module module, Tensor input) {
            switch (module) {
                case Flatten _ when input.shape().rank() == 4 -> flattened = input.shape();
                case Conv2d _ -> executed.add(module.path());
                case Dense _ -> {
                    executed.add(module.path());
                    if (flattened != null) {
                        images.put(module.path(), flattened);
                        flattened = null;
                    }
                }
                case BatchNorm _, PRelu _
                when flattened != null && flattened.dim(1) * flattened.dim(2) > 1 ->
                    throw new TenonException("layer '" + module.path()
                            + "': weights of other frameworks have another order of flattened pixels, which is only"
                            + " known for dense layers");
                default -> {
                    // Nothing to note.
                }
            }
        }

        @Override
        public void after(Module module, Tensor input, Tensor output) {}
    }
}
