package tenon.example;

import tenon.engine.DType;
import tenon.engine.Scope;
import tenon.engine.Shape;
import tenon.engine.Tensor;
import tenon.engine.backend.Backend;
import tenon.engine.backend.cpu.CpuBackend;
import tenon.engine.ops.Dense;
import tenon.engine.ops.Losses;

/** Fits y = 2x + 1 by gradient descent. */
final class EngineExample {
    private EngineExample() {}

    /** Slope and intercept learnt from four points. */
    static double[] fitLine() {
        try (Backend backend = CpuBackend.open();
                var _ = Scope.open("model", backend)) {
            Tensor x = Tensor.of(new float[] {0, 1, 2, 3}, 4, 1);
            Tensor y = Tensor.of(new float[] {1, 3, 5, 7}, 4, 1);
            Tensor weight = Tensor.zeros(Shape.of(1, 1), DType.F32).requireGrad(true);
            Tensor bias = Tensor.zeros(Shape.of(1), DType.F32).requireGrad(true);
            Tensor[] parameters = {weight, bias};
            for (int step = 0; step < 300; step++) {
                try (var _ = Scope.open("step")) {
                    Losses.meanSquaredError(Dense.dense(x, weight, bias), y).backward();
                    Tensor[] grads = {weight.grad(), bias.grad()};
                    float[] decay = {0, 0};
                    float[] scale = {1, 1};
                    backend.updates().sgd(parameters, grads, null, 0.1f, 0, false, 1, null, decay, scale);
                    weight.zeroGrad();
                    bias.zeroGrad();
                }
            }
            return new double[] {weight.item(), bias.item()};
        }
    }
}
