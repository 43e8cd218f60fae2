package tenon.layers;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Deque;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.Supplier;
import tenon.engine.DType;
import tenon.engine.GradMode;
import tenon.engine.Scope;
import tenon.engine.Shape;
import tenon.engine.Tensor;
import tenon.engine.backend.shapes.ShapeBackend;

/**
 * What a network consists of at one input size: a row for each layer in the order of execution, and totals. All components are plain values, ready
 * for JSON.
 *
 * @param input shape of the input, e.g. [1, 224, 224, 3]
 * @param layers those that run in evaluation mode
 * @param parameters elements of all parameters and buffers, of layers that do not run too
 * @param trainable elements of parameters that are not frozen
 * @param nonTrainable elements of buffers and frozen parameters
 * @param multiplyAdds of convolutions, dense layers and matrix products in one forward pass of this input
 * @param outputBytes of all layers' F32 results together; views and untouched inputs count nothing
 */
public record Summary(
        String network,
        List<Integer> input,
        List<Row> layers,
        long parameters,
        long trainable,
        long nonTrainable,
        long multiplyAdds,
        long outputBytes) {

    /**
     * One run of a layer. A layer that contains others has a row for what it has and does itself, if that is anything.
     *
     * @param name dotted name
     * @param parameters elements of the layer's parameters and buffers; 0 when an earlier row counted them
     */
    public record Row(
            String name, String type, List<Integer> output, long parameters, long multiplyAdds, long outputBytes) {}

    /**
     * Builds the network without memory and runs it in evaluation mode without arithmetic. The thread's random sequences stay where they are.
     *
     * @param input shape of an F32 input
     */
    public static Summary of(Supplier<? extends Module> network, Shape input) {
        ShapeBackend backend = new ShapeBackend();
        try (var _ = Scope.open("summary", backend);
                var _ = GradMode.noGrad()) {
            Module root = network.get();
            root.eval();
            Recorder recorder = new Recorder(backend);
            root.listen(recorder);
            root.apply(Tensor.empty(input, DType.F32));
            long parameters = root.parameterCount();
            long trainable = root.trainableCount();
            return new Summary(
                    root.type(),
                    list(input),
                    List.copyOf(recorder.rows),
                    parameters,
                    trainable,
                    parameters - trainable,
                    backend.multiplyAdds(),
                    recorder.rows.stream().mapToLong(Row::outputBytes).sum());
        }
    }

    private static List<Integer> list(Shape shape) {
        return Arrays.stream(shape.toArray()).boxed().toList();
    }

    /** Turns the nested runs into rows. */
    private static final class Recorder implements ApplyListener {
        private final ShapeBackend backend;
        private final List<Row> rows = new ArrayList<>();
        private final Set<Module> counted = Collections.newSetFromMap(new IdentityHashMap<>());
        private final Deque<Long> starts = new ArrayDeque<>();
        /** Multiply-adds that already have a row. */
        private long listed;

        Recorder(ShapeBackend backend) {
            this.backend = backend;
        }

        @Override
        public void before(Module module, Tensor input) {
            starts.push(backend.multiplyAdds() - listed);
        }

        @Override
        public void after(Module module, Tensor input, Tensor output) {
            long own = backend.multiplyAdds() - listed - starts.pop();
            long parameters = counted.add(module) ? ownCount(module) : 0;
            if (module.children().isEmpty() || own > 0 || parameters > 0) {
                long bytes = output.sharesMemoryWith(input) ? 0 : output.byteSize();
                rows.add(new Row(module.path(), module.summaryType(), list(output.shape()), parameters, own, bytes));
                listed += own;
            }
        }

        private static long ownCount(Module module) {
            long count = 0;
            for (Parameter parameter : module.ownParameters()) {
                count += parameter.value().elementCount();
            }
            for (Buffer buffer : module.ownBuffers()) {
                count += buffer.value().elementCount();
            }
            return count;
        }
    }

    // ---- text ----

    /** An aligned table with totals below. */
    @Override
    public String toString() {
        List<String[]> cells = new ArrayList<>();
        cells.add(new String[] {"layer", "type", "output", "parameters", "multiply-adds"});
        for (Row row : layers) {
            cells.add(new String[] {
                row.name, row.type, row.output.toString(), number(row.parameters), number(row.multiplyAdds)
            });
        }
        cells.add(new String[] {"total", "", "", number(parameters), number(multiplyAdds)});
        int[] widths = new int[5];
        for (String[] line : cells) {
            for (int i = 0; i < widths.length; i++) {
                widths[i] = Math.max(widths[i], line[i].length());
            }
        }
        String rule = "-".repeat(Arrays.stream(widths).sum() + 2 * (widths.length - 1)) + "\n";
        StringBuilder out = new StringBuilder(network + ", input " + input + "\n");
        for (int i = 0; i < cells.size(); i++) {
            if (i == 1 || i == cells.size() - 1) {
                out.append(rule);
            }
            out.append(line(cells.get(i), widths));
        }
        out.append("trainable ")
                .append(number(trainable))
                .append(", not trainable ")
                .append(number(nonTrainable));
        out.append("; results of all layers ").append(mebibytes(outputBytes)).append(" in F32\n");
        long elsewhere = parameters - layers.stream().mapToLong(Row::parameters).sum();
        if (elsewhere > 0) {
            out.append(number(elsewhere)).append(" parameters belong to layers that do not run in evaluation mode\n");
        }
        return out.toString();
    }

    private static String line(String[] cells, int[] widths) {
        StringBuilder line = new StringBuilder();
        for (int i = 0; i < widths.length; i++) {
            String space = " ".repeat(widths[i] - cells[i].length());
            line.append(i == 0 ? "" : "  ").append(i < 3 ? cells[i] + space : space + cells[i]);
        }
        return line.append('\n').toString();
    }

    private static String number(long value) {
        return String.format(Locale.ROOT, "%,d", value);
    }

    private static String mebibytes(long bytes) {
        return String.format(Locale.ROOT, "%.1f MiB", bytes / (1024.0 * 1024.0));
    }
}
