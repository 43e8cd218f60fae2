package tenon.engine.backend.cpu;

import java.lang.foreign.MemorySegment;

/** Average pooling of BF16 or F32 memory, summed up in F32. These plain loops define the results, and {@link VectorAveragePoolLoops} gives the same bits. */
class AveragePoolLoops {
    static AveragePoolLoops best() {
        return VectorApi.isUsed() ? new VectorAveragePoolLoops() : new AveragePoolLoops();
    }

    /** Output rows [from, to), counted over all images. */
    void forward(boolean bf16, PoolGeometry g, MemorySegment in, MemorySegment out, long from, long to) {
        forward(bf16, g, in, out, 0, from, to);
    }

    /** As the method above, for channels from {@code firstChannel} on. */
    final void forward(
            boolean bf16, PoolGeometry g, MemorySegment in, MemorySegment out, int firstChannel, long from, long to) {
        for (long row = from; row < to && firstChannel < g.c(); row++) {
            long n = row / g.p();
            int y = (int) (row % g.p());
            for (int x = 0; x < g.q(); x++) {
                float share = g.share(y, x);
                for (int c = firstChannel; c < g.c(); c++) {
                    float sum = 0;
                    for (int i = g.firstRow(y); i < g.endRow(y); i++) {
                        for (int j = g.firstColumn(x); j < g.endColumn(x); j++) {
                            sum += Floats.get(bf16, in, g.input(n, y, x, i, j) + c);
                        }
                    }
                    Floats.set(bf16, out, (row * g.q() + x) * g.c() + c, sum * share);
                }
            }
        }
    }

    /** Gradients of input rows [from, to), counted over all images: each element collects its share from the windows that hold it. */
    void backward(boolean bf16, PoolGeometry g, MemorySegment gradOut, MemorySegment gradIn, long from, long to) {
        backward(bf16, g, gradOut, gradIn, 0, from, to);
    }

    /** As the method above, for channels from {@code firstChannel} on. */
    final void backward(
            boolean bf16,
            PoolGeometry g,
            MemorySegment gradOut,
            MemorySegment gradIn,
            int firstChannel,
            long from,
            long to) {
        for (long row = from; row < to && firstChannel < g.c(); row++) {
            long n = row / g.h();
            int i = (int) (row % g.h());
            for (int j = 0; j < g.w(); j++) {
                for (int c = firstChannel; c < g.c(); c++) {
                    float sum = 0;
                    for (int y = g.firstWindowRow(i); y < g.endWindowRow(i); y++) {
                        for (int x = g.firstWindowColumn(j); x < g.endWindowColumn(j); x++) {
                            sum = Math.fma(Floats.get(bf16, gradOut, g.output(n, y, x) + c), g.share(y, x), sum);
                        }
                    }
                    Floats.set(bf16, gradIn, (row * g.w() + j) * g.c() + c, sum);
                }
            }
        }
    }
}
