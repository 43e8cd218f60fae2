package tenon.engine.backend.cpu;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import tenon.engine.Shape;
import tenon.engine.Tensor;
import tenon.engine.ops.PoolSpec;

/**
 * Average pooling whose divisor is the window clipped to the padded image: ceil mode with counted padding. Plain loops over [N, H, W, C], parallel over
 * the images, for no network in the suite needs it.
 */
final class ClippedAveragePool {
    private ClippedAveragePool() {}

    @FunctionalInterface
    private interface Element {
        void visit(long inputIndex, long outputIndex, float share);
    }

    static void forward(Parallel parallel, PoolSpec spec, Tensor input, Tensor output) {
        MemorySegment in = input.segment();
        MemorySegment out = output.segment();
        long image = output.elementCount() / output.shape().dim(0);
        parallel.range(output.shape().dim(0), 1, 1, (from, to) -> {
            out.asSlice(from * image * 4, (to - from) * image * 4).fill((byte) 0);
            visit(spec, input.shape(), output.shape(), from, to, (i, o, share) -> add(out, o, get(in, i) * share));
        });
    }

    static void backward(Parallel parallel, PoolSpec spec, Tensor gradOutput, Tensor gradInput) {
        MemorySegment in = gradInput.segment();
        MemorySegment out = gradOutput.segment();
        long image = gradInput.elementCount() / gradInput.shape().dim(0);
        parallel.range(gradInput.shape().dim(0), 1, 1, (from, to) -> {
            in.asSlice(from * image * 4, (to - from) * image * 4).fill((byte) 0);
            visit(
                    spec,
                    gradInput.shape(),
                    gradOutput.shape(),
                    from,
                    to,
                    (i, o, share) -> add(in, i, get(out, o) * share));
        });
    }

    private static void visit(PoolSpec spec, Shape input, Shape output, long from, long to, Element element) {
        int h = input.dim(1);
        int w = input.dim(2);
        int c = input.dim(3);
        int p = output.dim(1);
        int q = output.dim(2);
        for (long n = from; n < to; n++) {
            for (int y = 0; y < p; y++) {
                int top = y * spec.strideH() - spec.padding().top();
                int bottom = Math.min(top + spec.kernelH(), h + spec.padding().bottom());
                for (int x = 0; x < q; x++) {
                    int left = x * spec.strideW() - spec.padding().left();
                    int right =
                            Math.min(left + spec.kernelW(), w + spec.padding().right());
                    float share = 1f / ((bottom - top) * (right - left));
                    for (int i = Math.max(0, top); i < Math.min(bottom, h); i++) {
                        for (int j = Math.max(0, left); j < Math.min(right, w); j++) {
                            for (int k = 0; k < c; k++) {
                                element.visit(((n * h + i) * w + j) * c + k, ((n * p + y) * q + x) * c + k, share);
                            }
                        }
                    }
                }
            }
        }
    }

    private static float get(MemorySegment segment, long index) {
        return segment.getAtIndex(ValueLayout.JAVA_FLOAT, index);
    }

    private static void add(MemorySegment segment, long index, float value) {
        segment.setAtIndex(ValueLayout.JAVA_FLOAT, index, get(segment, index) + value);
    }
}
