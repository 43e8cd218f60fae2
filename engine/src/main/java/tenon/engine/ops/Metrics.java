package tenon.engine.ops;

import tenon.engine.DType;
import tenon.engine.Shape;
import tenon.engine.ShapeException;
import tenon.engine.TenonException;
import tenon.engine.Tensor;
import tenon.engine.backend.Backend;
import tenon.engine.backend.OpKind;

/** Rankings for reports; nothing here has a gradient. */
public final class Metrics {
    private Metrics() {}

    /** Indices of the k largest of each row of [N, C], largest first, lower index first among equals: I32 [N, k]. */
    public static Tensor topK(Tensor input, int k) {
        Backend backend = Checks.backend("top_k", OpKind.TOP_K, input);
        Checks.rank("top_k", "input", input, 2, "[N, C]");
        if (k < 1 || k > input.shape().dim(1)) {
            throw new ShapeException(TenonException.where("top_k") + ": k must lie in [1, "
                    + input.shape().dim(1) + "]: k=" + k);
        }
        Tensor output = Tensor.empty(backend, Shape.of(input.shape().dim(0), k), DType.I32);
        backend.metrics().topK(input, k, output);
        return output;
    }

    /** Index of the largest of each row of [N, C]: I32 [N]. */
    public static Tensor argmax(Tensor input) {
        try (Tensor top = topK(input, 1)) {
            return top.view(Shape.of(input.shape().dim(0)));
        }
    }
}
