package tenon.apps.networks;

import tenon.engine.ops.Activation;
import tenon.engine.ops.BatchNormSpec;
import tenon.layers.BatchNorm;
import tenon.layers.Conv2d;
import tenon.layers.Dropout;
import tenon.layers.Initializer;
import tenon.layers.MaxPool2d;
import tenon.layers.Sequential;

/**
 * convs × [conv 3×3 pad 1 → ReLU → batch norm], max pool 2×2, dropout: input [N, H, W, C], output [N, H / 2, W / 2, filters]. The norm stands
 * after the activation, as in the original experiments.
 */
final class VggBlock extends Sequential {
    VggBlock(int channels, int filters, int convs, double dropout, BatchNormSpec norm, Initializer initializer) {
        for (int i = 1; i <= convs; i++) {
            add(
                    "conv" + i,
                    Conv2d.builder(i == 1 ? channels : filters, filters, 3)
                            .padding(1)
                            .initializer(initializer)
                            .activation(Activation.RELU)
                            .build());
            add("bn" + i, new BatchNorm(filters, norm));
        }
        add("pool", new MaxPool2d(2, 2));
        add("dropout", new Dropout(dropout));
    }
}
