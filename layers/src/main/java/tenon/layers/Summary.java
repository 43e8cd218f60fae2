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
 * @param parameters weights, biases, slopes, gammas and betas, of layers that do not run and frozen ones too; gammas that are frozen at 1 count, although
 *     they are not kept
 * @param trainable of these, what training changes
 * @param statistics elements of buffers: the running averages of batch norm
 * @param total parameters and statistics: Keras's "total params"
 * @param nonTrainable total without trainable: Keras's "non-trainable params"
 * @param multiplyAdds of convolutions, dense layers and matrix products in one forward pass of this input
 * @param outputBytes of all layers' F32 results together; views and untouched inputs count nothing
 */
public record Summary(
        String network,
        List<Integer> input,
        List<Row> layers,
        long parameters,
        long trainable,
        long statistics,
        long total,
        long nonTrainable,
        long multiplyAdds,
        long outputBytes) {

    /**
     * One run of a layer. A layer that contains others has a row for what it has and does itself, if that is anything.
     *
     * @param name dotted name
     * @param parameters of the layer itself, counted as in the summary; 0 when an earlier row counted them
     * @param statistics likewise
     */
    public record Row(
            String name,
            String type,
            List<Integer> output,
            long parameters,
            long statistics,
            long multiplyAdds,
            long outputBytes) {}

    /** Elements of one module without its children's, or of several modules. */
    private record Count(long parameters, long trainable, long statistics) {
        static final Count NOTHING = new Count(0, 0, 0);

        static Count of(Module module) {
            long parameters = module.constantCount();
            long trainable = 0;
            long statistics = 0;
            for (Parameter parameter : module.ownParameters()) {
                long elements = parameter.value().elementCount();
                parameters += elements;
                trainable += parameter.trainable() ? elements : 0;
            }
            for (Buffer buffer : module.ownBuffers()) {
                statistics += buffer.value().elementCount();
            }
            return new Count(parameters, trainable, statistics);
        }

        Count plus(Count other) {
            return new Count(parameters + other.parameters, trainable + other.trainable, statistics + other.statistics);
        }
    }

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
            List<Count> counts = new ArrayList<>();
            root.walk(module -> counts.add(Count.of(module)));
            Count all = counts.stream().reduce(Count.NOTHING, Count::plus);
            long total = all.parameters + all.statistics;
            return new Summary(
                    root.type(),
                    list(input),
                    List.copyOf(recorder.rows),
                    all.parameters,
                    all.trainable,
                    all.statistics,
                    total,
                    total - all.trainable,
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
            Count count = counted.add(module) ? Count.of(module) : Count.NOTHING;
            if (module.children().isEmpty() || own > 0 || count.parameters > 0) {
                rows.add(new Row(
                        module.path(),
                        module.summaryType(),
                        list(output.shape()),
                        count.parameters,
                        count.statistics,
                        own,
                        output.sharesMemoryWith(input) ? 0 : output.byteSize()));
                listed += own;
            }
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
        out.append("trainable ").append(number(trainable));
        out.append(", not trainable ").append(number(nonTrainable));
        if (nonTrainable > 0) {
            out.append(" (").append(number(parameters - trainable)).append(" frozen, ");
            out.append(number(statistics))
                    .append(" running statistics), together ")
                    .append(number(total));
        }
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
