package tenon.benchmarks.libtorch;

import tenon.engine.Shape;
import tenon.engine.ops.BatchNormSpec;
import tenon.layers.Module;

/** The twins of {@code tenon.apps.networks}, written down a second time. */
public final class TorchNetworks {
    private TorchNetworks() {}

    /** @param norm of the Tenon network */
    public static TorchNetwork miniVgg(
            Module source, Shape input, int classes, BatchNormSpec norm, TorchOptions options) {
        TorchNetwork net = new TorchNetwork(source, input, options);
        block(net, 1, 32, 2, norm);
        block(net, 2, 64, 2, norm);
        return head(net, classes, norm);
    }

    /** @param norm of the Tenon network */
    public static TorchNetwork smallVgg(
            Module source, Shape input, int classes, BatchNormSpec norm, TorchOptions options) {
        TorchNetwork net = new TorchNetwork(source, input, options);
        block(net, 1, 32, 1, norm);
        block(net, 2, 64, 2, norm);
        block(net, 3, 128, 3, norm);
        return head(net, classes, norm);
    }

    public static TorchNetwork denseNet3(Module source, Shape input, int classes, TorchOptions options) {
        return new TorchNetwork(source, input, options)
                .flatten()
                .dense("fc1", 1024)
                .sigmoid()
                .dense("fc2", 512)
                .sigmoid()
                .dense("fc3", classes)
                .complete();
    }

    public static TorchNetwork mnistNet(Module source, TorchOptions options) {
        return new TorchNetwork(source, Shape.of(28, 28, 1), options)
                .flatten()
                .dense("fc1", 800)
                .relu()
                .dense("fc2", 10)
                .complete();
    }

    private static void block(TorchNetwork net, int number, int filters, int convs, BatchNormSpec norm) {
        String block = "block" + number + ".";
        for (int i = 1; i <= convs; i++) {
            net.conv3x3(block + "conv" + i, filters).relu();
            batchNorm(net, block + "bn" + i, norm);
        }
        net.maxPool2x2().dropout(0.25);
    }

    private static TorchNetwork head(TorchNetwork net, int classes, BatchNormSpec norm) {
        net.flatten().dense("fc1", 512).relu();
        batchNorm(net, "bn", norm);
        return net.dropout(0.5).dense("fc2", classes).complete();
    }

    private static void batchNorm(TorchNetwork net, String name, BatchNormSpec norm) {
        if (!norm.unbiasedRunningVariance() || norm.frozenGamma()) {
            throw new IllegalArgumentException("libtorch: batch norm there has a learned gamma and keeps the unbiased"
                    + " running variance: norm=" + norm);
        }
        net.batchNorm(name, norm.epsilon(), norm.momentum());
    }
}
