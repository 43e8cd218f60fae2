package tenon.apps.networks;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import tenon.engine.DType;
import tenon.engine.Scope;
import tenon.engine.Shape;
import tenon.engine.Tensor;
import tenon.engine.backend.shapes.ShapeBackend;
import tenon.layers.ApplyListener;
import tenon.layers.BatchNorm;
import tenon.layers.Module;
import tenon.layers.Summary;

/** What tests ask of a network's layers; needs no memory for weights. */
final class Architecture {
    private final Supplier<? extends Module> network;
    private final Summary summary;
    private final Map<String, List<Integer>> outputs = new LinkedHashMap<>();

    Architecture(Supplier<? extends Module> network, int... input) {
        this.network = network;
        summary = Summary.of(network, Shape.of(input));
        onShapes(net -> {
            net.eval();
            net.listen(new ApplyListener() {
                @Override
                public void before(Module module, Tensor x) {}

                @Override
                public void after(Module module, Tensor x, Tensor output) {
                    outputs.put(
                            module.path(),
                            IntStream.of(output.shape().toArray()).boxed().toList());
                }
            });
            return net.apply(Tensor.empty(Shape.of(input), DType.F32));
        });
    }

    Summary summary() {
        return summary;
    }

    /** Output of the layer of that name, without the batch. */
    List<Integer> output(String name) {
        List<Integer> shape = outputs.get(name);
        assertThat(shape).as(name + " among " + outputs.keySet()).isNotNull();
        return shape.subList(1, shape.size());
    }

    /** Of the layer of that name and all in it. */
    long parameters(String name) {
        return rows(name).stream().mapToLong(Summary.Row::parameters).sum();
    }

    /** Parameters and running statistics of the layer of that name and all in it. */
    long stored(String name) {
        return rows(name).stream()
                .mapToLong(row -> row.parameters() + row.statistics())
                .sum();
    }

    /** Trained parameters of the layers of those names and all in them. */
    long trained(String... names) {
        return onShapes(net -> Stream.of(names)
                .mapToLong(name -> net.module(name).trainableCount())
                .sum());
    }

    /** Trained parameters of the whole network that do not belong to batch norm. */
    long trainedOutsideNorms() {
        return onShapes(net -> {
            List<Module> norms = new ArrayList<>();
            net.walk(module -> {
                if (module instanceof BatchNorm) {
                    norms.add(module);
                }
            });
            return net.trainableCount()
                    - norms.stream().mapToLong(Module::trainableCount).sum();
        });
    }

    long multiplyAdds(String name) {
        return rows(name).stream().mapToLong(Summary.Row::multiplyAdds).sum();
    }

    /** Names of all layers that run, in order. */
    List<String> names() {
        return summary.layers().stream().map(Summary.Row::name).toList();
    }

    long count(Class<? extends Module> type) {
        return onShapes(net -> {
            List<Module> found = new ArrayList<>();
            net.walk(module -> {
                if (type.isInstance(module)) {
                    found.add(module);
                }
            });
            return (long) found.size();
        });
    }

    /** Text of each layer of that type, in order: type and settings. */
    List<String> settings(Class<? extends Module> type) {
        return onShapes(net -> {
            List<String> found = new ArrayList<>();
            net.walk(module -> {
                if (type.isInstance(module)) {
                    found.add(module.toString());
                }
            });
            return found;
        });
    }

    List<String> stateNames() {
        return onShapes(net -> List.copyOf(net.state().keySet()));
    }

    private interface Question<T> {
        T ask(Module network);
    }

    private <T> T onShapes(Question<T> question) {
        try (var _ = Scope.open("shapes", new ShapeBackend())) {
            return question.ask(network.get());
        }
    }

    private List<Summary.Row> rows(String name) {
        List<Summary.Row> rows = summary.layers().stream()
                .filter(row -> row.name().equals(name) || row.name().startsWith(name + "."))
                .toList();
        assertThat(rows).as("layers of " + name + " in " + names()).isNotEmpty();
        return rows;
    }
}
