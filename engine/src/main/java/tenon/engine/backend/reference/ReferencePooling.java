package tenon.engine.backend.reference;

import tenon.engine.DType;
import tenon.engine.Shape;
import tenon.engine.Tensor;
import tenon.engine.backend.PoolingKernels;
import tenon.engine.ops.PoolSpec;

/** Pooling window by window. A NaN wins a maximum, so it is never lost. */
final class ReferencePooling implements PoolingKernels {
    /** The winner's position in its image's plane: row·W + column. */
    @Override
    public DType workspaceType() {
        return DType.I32;
    }

    @Override
    public Shape workspaceShape(PoolSpec spec, Shape input, Shape output) {
        return output;
    }

    @Override
    public void maxForward(PoolSpec spec, Tensor input, Tensor output, Tensor workspace) {
        Elements x = Elements.of(input);
        Elements y = Elements.of(output);
        Elements winners = workspace == null ? null : Elements.of(workspace);
        int plane = input.shape().dim(1) * input.shape().dim(2);
        int width = input.shape().dim(2);
        forEachWindow(spec, input.shape(), output.shape(), (window, i, n, c, channels) -> {
            double best = Double.NEGATIVE_INFINITY;
            int winner = -1;
            for (int row = window.top; row < window.bottom; row++) {
                for (int column = window.left; column < window.right; column++) {
                    int position = row * width + column;
                    double value = x.get(((long) n * plane + position) * channels + c);
                    if (winner < 0 || value > best || Double.isNaN(value) && !Double.isNaN(best)) {
                        best = value;
                        winner = position;
                    }
                }
            }
            y.set(i, best);
            if (winners != null) {
                winners.set(i, winner);
            }
        });
    }

    @Override
    public void maxBackward(PoolSpec spec, Tensor gradOutput, Tensor workspace, Tensor gradInput) {
        Elements gy = Elements.of(gradOutput);
        Elements winners = Elements.of(workspace);
        int plane = gradInput.shape().dim(1) * gradInput.shape().dim(2);
        double[] sums = new double[Math.toIntExact(gradInput.elementCount())];
        forEachWindow(spec, gradInput.shape(), gradOutput.shape(), (_, i, n, c, channels) -> {
            sums[(n * plane + winners.getInt(i)) * channels + c] += gy.get(i);
        });
        store(sums, gradInput);
    }

    @Override
    public void averageForward(PoolSpec spec, Tensor input, Tensor output) {
        Elements x = Elements.of(input);
        Elements y = Elements.of(output);
        int plane = input.shape().dim(1) * input.shape().dim(2);
        int width = input.shape().dim(2);
        forEachWindow(spec, input.shape(), output.shape(), (window, i, n, c, channels) -> {
            double sum = 0;
            for (int row = window.top; row < window.bottom; row++) {
                for (int column = window.left; column < window.right; column++) {
                    sum += x.get(((long) n * plane + row * width + column) * channels + c);
                }
            }
            y.set(i, sum / window.divisor);
        });
    }

    @Override
    public void averageBackward(PoolSpec spec, Tensor gradOutput, Tensor gradInput) {
        Elements gy = Elements.of(gradOutput);
        int plane = gradInput.shape().dim(1) * gradInput.shape().dim(2);
        int width = gradInput.shape().dim(2);
        double[] sums = new double[Math.toIntExact(gradInput.elementCount())];
        forEachWindow(spec, gradInput.shape(), gradOutput.shape(), (window, i, n, c, channels) -> {
            for (int row = window.top; row < window.bottom; row++) {
                for (int column = window.left; column < window.right; column++) {
                    sums[(n * plane + row * width + column) * channels + c] += gy.get(i) / window.divisor;
                }
            }
        });
        store(sums, gradInput);
    }

    private static void store(double[] sums, Tensor to) {
        Elements out = Elements.of(to);
        for (int i = 0; i < sums.length; i++) {
            out.set(i, sums[i]);
        }
    }

    private static void forEachWindow(PoolSpec spec, Shape input, Shape output, Visitor visitor) {
        int channels = output.dim(3);
        long i = 0;
        for (int n = 0; n < output.dim(0); n++) {
            for (int p = 0; p < output.dim(1); p++) {
                for (int q = 0; q < output.dim(2); q++) {
                    Window window = new Window(spec, input, p, q);
                    for (int c = 0; c < channels; c++) {
                        visitor.visit(window, i++, n, c, channels);
                    }
                }
            }
        }
    }

    private interface Visitor {
        /** @param i index of the output element */
        void visit(Window window, long i, int n, int c, int channels);
    }

    /** The part of a window that lies on the image (bottom and right exclusive), and what an average over it divides by. */
    private static final class Window {
        final int top;
        final int bottom;
        final int left;
        final int right;
        final int divisor;

        Window(PoolSpec spec, Shape input, int p, int q) {
            int height = input.dim(1);
            int width = input.dim(2);
            int row = p * spec.strideH() - spec.padding().top();
            int column = q * spec.strideW() - spec.padding().left();
            top = Math.max(row, 0);
            bottom = Math.min(row + spec.kernelH(), height);
            left = Math.max(column, 0);
            right = Math.min(column + spec.kernelW(), width);
            if (spec.countPadding()) {
                int paddedBottom =
                        Math.min(row + spec.kernelH(), height + spec.padding().bottom());
                int paddedRight =
                        Math.min(column + spec.kernelW(), width + spec.padding().right());
                divisor = (paddedBottom - row) * (paddedRight - column);
            } else {
                divisor = (bottom - top) * (right - left);
            }
        }
    }
}
