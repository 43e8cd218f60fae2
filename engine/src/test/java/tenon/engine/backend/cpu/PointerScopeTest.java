package tenon.engine.backend.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import org.bytedeco.javacpp.PointerScope;
import org.junit.jupiter.api.Test;
import tenon.engine.DType;
import tenon.engine.Scope;
import tenon.engine.Shape;
import tenon.engine.Tensor;
import tenon.engine.ops.ConvSpec;
import tenon.engine.ops.Convolution;

/** Programs that use JavaCPP themselves open scopes of pointers around what they do, calls of this library included. */
class PointerScopeTest {
    @Test
    void primitivesOutliveTheScopeInWhichTheyWereCompiled() {
        try (CpuBackend backend = CpuBackend.open(1);
                Scope _ = Scope.open("test", backend)) {
            Tensor images = Tensor.full(Shape.of(1, 4, 4, 8), DType.F32, 1);
            Tensor filters = Tensor.full(Shape.of(16, 3, 3, 8), DType.F32, 1);
            float[] first;
            try (PointerScope _ = new PointerScope()) {
                first = Convolution.conv2d(images, filters, null, ConvSpec.of(1, 0))
                        .toFloatArray();
            }
            long primitives = backend.primitiveReport().size();
            // Memory that was freed above would be used again for these.
            Tensor others = Tensor.full(Shape.of(1, 4, 4, 8), DType.F32, 2);
            for (int i = 0; i < 100; i++) {
                float[] again = Convolution.conv2d(others, filters, null, ConvSpec.of(1, 0))
                        .toFloatArray();
                assertThat(again).hasSize(first.length).containsOnly(2 * first[0]);
            }
            assertThat(first[0]).isEqualTo(72);
            assertThat(backend.primitiveReport()).hasSize((int) primitives);
        }
    }
}
