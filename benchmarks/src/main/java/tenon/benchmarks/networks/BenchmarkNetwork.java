package tenon.benchmarks.networks;

import java.util.Locale;
import tenon.apps.cli.ImageSize;
import tenon.apps.training.NetworkSpec;
import tenon.apps.training.NetworkSpec.Kind;
import tenon.benchmarks.libtorch.TorchNetwork;
import tenon.benchmarks.libtorch.TorchOptions;
import tenon.engine.Shape;
import tenon.layers.Module;

/** The networks that are measured, in rising order of cost. */
public enum BenchmarkNetwork {
    MINIVGG(Kind.MINIVGG, 10, 64),
    SQUEEZENET(Kind.SQUEEZENET, 1000, 32),
    ALEXNET(Kind.ALEXNET, 1000, 32),
    GOOGLENET(Kind.GOOGLENET, 1000, 16),
    RESNET50(Kind.RESNET50, 1000, 16),
    VGG16(Kind.VGG16, 1000, 8);

    private final NetworkSpec spec;
    private final int batch;

    BenchmarkNetwork(Kind kind, int classes, int batch) {
        ImageSize input = kind.defaultInput();
        spec = new NetworkSpec(
                kind, input.height(), input.width(), input.channels(), classes, kind.defaultNormMomentum());
        this.batch = batch;
    }

    /** Images a step when nothing else is asked for. */
    public int batch() {
        return batch;
    }

    public int classes() {
        return spec.classes();
    }

    /** [N, H, W, 3]. */
    public Shape input(int n) {
        return spec.input(n);
    }

    /** Builds it in the current scope. */
    public Module build() {
        return spec.build();
    }

    /** The same layers in libtorch, with the weights of {@code source}. */
    public TorchNetwork twin(Module source, TorchOptions options) {
        return new TorchNetwork(source, Shape.of(spec.height(), spec.width(), spec.channels()), options);
    }

    /** As typed on the command line. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
