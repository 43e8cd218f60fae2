package tenon.engine.backend.reference;

import java.util.Arrays;
import tenon.engine.Shape;
import tenon.engine.Tensor;
import tenon.engine.backend.ConvolutionKernels;
import tenon.engine.ops.Activation;
import tenon.engine.ops.ConvSpec;

/** Direct convolution: each result element is one sum over the positions that reach it. */
final class ReferenceConvolution implements ConvolutionKernels {
    @Override
    public void forward(ConvSpec spec, Tensor input, Tensor weight, Tensor bias, Activation activation, Tensor output) {
        Geometry g = new Geometry(spec, input.shape(), weight.shape(), output.shape());
        double[] x = Elements.values(input);
        double[] w = Elements.weight(weight, input);
        double[] b = bias == null ? null : Elements.values(bias);
        Elements y = Elements.of(output);
        for (int n = 0; n < g.n; n++) {
            for (int p = 0; p < g.p; p++) {
                for (int q = 0; q < g.q; q++) {
                    for (int k = 0; k < g.k; k++) {
                        double sum = b == null ? 0 : b[k];
                        for (int r = 0; r < g.r; r++) {
                            for (int s = 0; s < g.s; s++) {
                                int row = g.row(p, r);
                                int column = g.column(q, s);
                                if (row < 0 || row >= g.h || column < 0 || column >= g.w) {
                                    continue;
                                }
                                for (int c = 0; c < g.groupC; c++) {
                                    sum += x[g.input(n, row, column, g.firstChannel(k) + c)] * w[g.weight(k, r, s, c)];
                                }
                            }
                        }
                        y.set(g.output(n, p, q, k), ReferenceActivation.apply(activation, sum));
                    }
                }
            }
        }
    }

    @Override
    public void backwardInput(ConvSpec spec, Tensor gradOutput, Tensor weight, Tensor gradInput) {
        Geometry g = new Geometry(spec, gradInput.shape(), weight.shape(), gradOutput.shape());
        double[] gy = Elements.values(gradOutput);
        double[] w = Elements.weight(weight, gradInput);
        Elements gx = Elements.of(gradInput);
        double[] sums = new double[g.groupC];
        for (int n = 0; n < g.n; n++) {
            for (int row = 0; row < g.h; row++) {
                for (int column = 0; column < g.w; column++) {
                    for (int group = 0; group < spec.groups(); group++) {
                        sumInputGradients(g, gy, w, n, row, column, group, sums);
                        for (int c = 0; c < g.groupC; c++) {
                            gx.set(g.input(n, row, column, group * g.groupC + c), sums[c]);
                        }
                    }
                }
            }
        }
    }

    /** @param sums [C / groups], one for each channel of the group: channels lie side by side in memory */
    private static void sumInputGradients(
            Geometry g, double[] gy, double[] w, int n, int row, int column, int group, double[] sums) {
        Arrays.fill(sums, 0);
        for (int r = 0; r < g.r; r++) {
            for (int s = 0; s < g.s; s++) {
                int p = g.outputRow(row, r);
                int q = g.outputColumn(column, s);
                if (p < 0 || q < 0) {
                    continue;
                }
                for (int k = group * g.groupK; k < (group + 1) * g.groupK; k++) {
                    addScaled(gy[g.output(n, p, q, k)], w, g.weight(k, r, s, 0), sums);
                }
            }
        }
    }

    @Override
    public void backwardWeight(ConvSpec spec, Tensor input, Tensor gradOutput, Tensor gradWeight, Tensor gradBias) {
        Geometry g = new Geometry(spec, input.shape(), gradWeight.shape(), gradOutput.shape());
        double[] x = Elements.values(input);
        double[] gy = Elements.values(gradOutput);
        Elements gw = Elements.of(gradWeight);
        double[] sums = new double[g.groupC];
        for (int k = 0; k < g.k; k++) {
            for (int r = 0; r < g.r; r++) {
                for (int s = 0; s < g.s; s++) {
                    sumWeightGradients(g, x, gy, k, r, s, sums);
                    for (int c = 0; c < g.groupC; c++) {
                        gw.set(g.weight(k, r, s, c), sums[c]);
                    }
                }
            }
        }
        if (gradBias != null) {
            ReferenceArithmetic.sumTo(gradOutput, gradBias);
        }
    }

    private static void sumWeightGradients(Geometry g, double[] x, double[] gy, int k, int r, int s, double[] sums) {
        Arrays.fill(sums, 0);
        for (int n = 0; n < g.n; n++) {
            for (int p = 0; p < g.p; p++) {
                for (int q = 0; q < g.q; q++) {
                    int row = g.row(p, r);
                    int column = g.column(q, s);
                    if (row >= 0 && row < g.h && column >= 0 && column < g.w) {
                        addScaled(gy[g.output(n, p, q, k)], x, g.input(n, row, column, g.firstChannel(k)), sums);
                    }
                }
            }
        }
    }

    private static void addScaled(double factor, double[] values, int offset, double[] sums) {
        for (int c = 0; c < sums.length; c++) {
            sums[c] += values[offset + c] * factor;
        }
    }

    /** Sizes by their letters, indices of elements, and which input position meets which output position. */
    private static final class Geometry {
        final ConvSpec spec;
        final int n;
        final int h;
        final int w;
        final int c;
        final int k;
        final int r;
        final int s;
        final int p;
        final int q;
        final int groupC;
        final int groupK;

        Geometry(ConvSpec spec, Shape input, Shape weight, Shape output) {
            this.spec = spec;
            n = input.dim(0);
            h = input.dim(1);
            w = input.dim(2);
            c = input.dim(3);
            k = weight.dim(0);
            r = weight.dim(1);
            s = weight.dim(2);
            groupC = weight.dim(3);
            groupK = k / spec.groups();
            p = output.dim(1);
            q = output.dim(2);
        }

        int input(int n, int row, int column, int c) {
            return ((n * h + row) * w + column) * this.c + c;
        }

        int weight(int k, int r, int s, int c) {
            return ((k * this.r + r) * this.s + s) * groupC + c;
        }

        int output(int n, int p, int q, int k) {
            return ((n * this.p + p) * this.q + q) * this.k + k;
        }

        int firstChannel(int k) {
            return k / groupK * groupC;
        }

        int row(int p, int r) {
            return p * spec.strideH() - spec.padding().top() + r * spec.dilationH();
        }

        int column(int q, int s) {
            return q * spec.strideW() - spec.padding().left() + s * spec.dilationW();
        }

        /** The p with row(p, r) = row, or −1. */
        int outputRow(int row, int r) {
            return inverse(row + spec.padding().top() - r * spec.dilationH(), spec.strideH(), p);
        }

        int outputColumn(int column, int s) {
            return inverse(column + spec.padding().left() - s * spec.dilationW(), spec.strideW(), q);
        }

        private static int inverse(int offset, int stride, int size) {
            return offset >= 0 && offset % stride == 0 && offset / stride < size ? offset / stride : -1;
        }
    }
}
