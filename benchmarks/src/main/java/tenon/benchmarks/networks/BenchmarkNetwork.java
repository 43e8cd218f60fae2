package tenon.benchmarks.networks;

import java.util.Locale;
import tenon.apps.training.NetworkSpec;
import tenon.apps.training.NetworkSpec.Kind;
import tenon.benchmarks.libtorch.TorchNetwork;
import tenon.benchmarks.libtorch.TorchNetworks;
import tenon.benchmarks.libtorch.TorchOptions;
import tenon.engine.Shape;
import tenon.engine.ops.BatchNormSpec;
import tenon.layers.Module;

/** The networks that are measured, in rising order of cost. */
public enum BenchmarkNetwork {
    MINIVGG(Kind.MINIVGG, 32, 10, 64);

    private final Kind kind;
    private final int side;
    private final int classes;
    private final int batch;

    BenchmarkNetwork(Kind kind, int side, int classes, int batch) {
        this.kind = kind;
        this.side = side;
        this.classes = classes;
        this.batch = batch;
    }

    /** Images a step when nothing else is asked for. */
    public int batch() {
        return batch;
    }

    public int classes() {
        return classes;
    }

    /** [N, H, W, 3]. */
    public Shape input(int n) {
        return spec().input(n);
    }

    private NetworkSpec spec() {
        return new NetworkSpec(kind, side, side, 3, classes, NetworkSpec.SLOW_NORM);
    }

    /** Builds it in the current scope. */
    public Module build() {
        return spec().build();
    }

    /** The same layers in libtorch, with the weights of {@code source}. */
    public TorchNetwork twin(Module source, TorchOptions options) {
        Shape input = Shape.of(side, side, 3);
        return switch (this) {
            case MINIVGG -> TorchNetworks.miniVgg(source, input, classes, BatchNormSpec.keras(), options);
        };
    }

    /** As typed on the command line. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
