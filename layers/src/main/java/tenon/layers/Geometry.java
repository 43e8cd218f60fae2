package tenon.layers;

import tenon.engine.ops.Padding;
import tenon.engine.ops.PoolSpec;

/** Window settings as text. */
final class Geometry {
    private Geometry() {}

    static String text(Padding padding) {
        if (padding.top() == padding.bottom() && padding.left() == padding.right()) {
            return padding.top() + "x" + padding.left();
        }
        return "[top " + padding.top() + ", bottom " + padding.bottom() + ", left " + padding.left() + ", right "
                + padding.right() + "]";
    }

    static String text(PoolSpec spec) {
        return "kernel=" + spec.kernelH() + "x" + spec.kernelW() + ", stride=" + spec.strideH() + "x" + spec.strideW()
                + ", padding=" + text(spec.padding()) + (spec.ceilMode() ? ", ceil" : "");
    }
}
