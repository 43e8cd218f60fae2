package tenon.apps.pretrained;

import java.util.List;
import tenon.engine.Shape;

/**
 * A tensor of a network that weights can be put into.
 *
 * @param name dotted, as in {@code Module.state()}
 * @param layer the dotted name of its layer
 * @param shape in Tenon
 * @param image [N, H, W, C] that was flattened in front of these dense weights, or null
 * @param depthwise whether these are filters of one channel each, in groups
 */
record Slot(String name, String layer, Role role, List<Integer> shape, Shape image, boolean depthwise) {
    int elementCount() {
        int count = 1;
        for (int dim : shape) {
            count *= dim;
        }
        return count;
    }
}
