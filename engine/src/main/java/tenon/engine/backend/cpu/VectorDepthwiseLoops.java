package tenon.engine.backend.cpu;

import static tenon.engine.backend.cpu.Lanes.FLOATS;
import static tenon.engine.backend.cpu.Lanes.L;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import tenon.engine.Shape;
import tenon.engine.ops.ConvSpec;

/** {@link DepthwiseLoops} with the Vector API, over the channels; the remainder that fills no vector is left to it. */
final class VectorDepthwiseLoops extends DepthwiseLoops {
    @Override
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
        int bound = (int) Lanes.bound(from, to);
        int taps = weight.dim(1) * weight.dim(2);
        float[] values = new float[L];
        for (int t = 0; t < taps; t++) {
            Tap tap = Tap.of(spec, input, output, t / weight.dim(2), t % weight.dim(2));
            for (int c = from; c < bound; c += L) {
                if (isBf16) {
                    sumBf16(spec, input, output, tap, in, gradOut, c, values);
                } else {
                    sumF32(spec, input, output, tap, in, gradOut, c, values);
                }
                for (int i = 0; i < L; i++) {
                    Floats.set(false, gradWeight, (long) (c + i) * taps + t, values[i]);
                }
            }
        }
        super.backwardWeight(isBf16, spec, input, weight, output, in, gradOut, gradWeight, bound, to);
    }

    // One loop for both would box its vectors.
    private static void sumF32(
            ConvSpec spec,
            Shape input,
            Shape output,
            Tap tap,
            MemorySegment in,
            MemorySegment gradOut,
            int c,
            float[] values) {
        int channels = input.dim(3);
        long step = (long) spec.strideW() * channels;
        FloatVector total = FloatVector.zero(FLOATS);
        for (int n = 0; n < input.dim(0); n++) {
            FloatVector sum = FloatVector.zero(FLOATS);
            for (int y = tap.firstY(); y < tap.endY(); y++) {
                long row = ((long) n * input.dim(1) + y * spec.strideH() + tap.dy()) * input.dim(2);
                long gradRow = ((long) n * output.dim(1) + y) * output.dim(2);
                long at = (row + tap.dx()) * channels + c;
                long gradAt = gradRow * channels + c;
                for (int x = tap.firstX(); x < tap.endX(); x++) {
                    sum = Lanes.load(in, at + x * step).fma(Lanes.load(gradOut, gradAt + (long) x * channels), sum);
                }
            }
            total = total.add(sum);
        }
        total.intoArray(values, 0);
    }

    private static void sumBf16(
            ConvSpec spec,
            Shape input,
            Shape output,
            Tap tap,
            MemorySegment in,
            MemorySegment gradOut,
            int c,
            float[] values) {
        int channels = input.dim(3);
        long step = (long) spec.strideW() * channels;
        FloatVector total = FloatVector.zero(FLOATS);
        for (int n = 0; n < input.dim(0); n++) {
            FloatVector sum = FloatVector.zero(FLOATS);
            for (int y = tap.firstY(); y < tap.endY(); y++) {
                long row = ((long) n * input.dim(1) + y * spec.strideH() + tap.dy()) * input.dim(2);
                long gradRow = ((long) n * output.dim(1) + y) * output.dim(2);
                long at = (row + tap.dx()) * channels + c;
                long gradAt = gradRow * channels + c;
                for (int x = tap.firstX(); x < tap.endX(); x++) {
                    sum = Lanes.loadBf16(in, at + x * step)
                            .fma(Lanes.loadBf16(gradOut, gradAt + (long) x * channels), sum);
                }
            }
            total = total.add(sum);
        }
        total.intoArray(values, 0);
    }
}
