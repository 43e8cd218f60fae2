package tenon.engine.backend.cpu;

import java.lang.foreign.MemorySegment;
import tenon.engine.Shape;
import tenon.engine.ops.ConvSpec;

/**
 * Weight gradients of depthwise convolutions of images in F32 or BF16, for maps so narrow that oneDNN has no kernel but its general ones. In F32 that takes a hundred
 * times as long; in BF16 it pads each group to 16 channels, and leaves taps that reach no pixel unwritten. Plain loops; {@link VectorDepthwiseLoops} sums in the same
 * order.
 */
class DepthwiseLoops {
    static DepthwiseLoops best() {
        return VectorApi.isUsed() ? new VectorDepthwiseLoops() : new DepthwiseLoops();
    }

    /** One tap of the kernel, and the outputs [firstY, endY)×[firstX, endX) for which it lies in the image. */
    record Tap(int dy, int dx, int firstY, int endY, int firstX, int endX) {
        static Tap of(ConvSpec spec, Shape input, Shape output, int r, int s) {
            int dy = r * spec.dilationH() - spec.padding().top();
            int dx = s * spec.dilationW() - spec.padding().left();
            return new Tap(
                    dy,
                    dx,
                    Math.max(0, Math.ceilDiv(-dy, spec.strideH())),
                    Math.min(output.dim(1), Math.floorDiv(input.dim(1) - 1 - dy, spec.strideH()) + 1),
                    Math.max(0, Math.ceilDiv(-dx, spec.strideW())),
                    Math.min(output.dim(2), Math.floorDiv(input.dim(2) - 1 - dx, spec.strideW()) + 1));
        }
    }

    /**
     * Overwrites the gradients of the channels [from, to). Each image is summed by itself, then the images.
     *
     * @param isBf16 whether the images are; gradients of weights are F32
     * @param gradWeight [C, r, s, 1]
     */
    void backwardWeight(
            boolean isBf16,
            ConvSpec spec,
            Shape input,
            Shape weight,
            Shape output,
            MemorySegment in,
            MemorySegment gradOut,
            MemorySegment gradWeight,
            int from,
            int to) {
        for (int r = 0; r < weight.dim(1); r++) {
            for (int s = 0; s < weight.dim(2); s++) {
                Tap tap = Tap.of(spec, input, output, r, s);
                for (int c = from; c < to; c++) {
                    float value = sum(isBf16, spec, input, output, tap, in, gradOut, c);
                    Floats.set(false, gradWeight, ((long) c * weight.dim(1) + r) * weight.dim(2) + s, value);
                }
            }
        }
    }

    private static float sum(
            boolean isBf16,
            ConvSpec spec,
            Shape input,
            Shape output,
            Tap tap,
            MemorySegment in,
            MemorySegment gradOut,
            int c) {
        int channels = input.dim(3);
        float total = 0;
        for (int n = 0; n < input.dim(0); n++) {
            float sum = 0;
            for (int y = tap.firstY; y < tap.endY; y++) {
                long row = ((long) n * input.dim(1) + y * spec.strideH() + tap.dy) * input.dim(2);
                long gradRow = ((long) n * output.dim(1) + y) * output.dim(2);
                for (int x = tap.firstX; x < tap.endX; x++) {
                    float value = Floats.get(isBf16, in, (row + x * spec.strideW() + tap.dx) * channels + c);
                    sum = Math.fma(value, Floats.get(isBf16, gradOut, (gradRow + x) * channels + c), sum);
                }
            }
            total += sum;
        }
        return total;
    }
}
