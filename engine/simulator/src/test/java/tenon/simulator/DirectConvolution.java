package tenon.simulator;

/** A convolution in seven loops and in double: what the doubles of cuDNN are held against. NHWC, filters [K, R, S, C / groups]. */
record DirectConvolution(
        int n,
        int c,
        int h,
        int w,
        int k,
        int r,
        int s,
        int p,
        int q,
        int top,
        int left,
        int strideY,
        int strideX,
        int dilationY,
        int dilationX,
        int groups) {

    static DirectConvolution of(
            int n,
            int c,
            int h,
            int w,
            int k,
            int r,
            int s,
            int top,
            int bottom,
            int left,
            int right,
            int stride,
            int dilation,
            int groups) {
        return new DirectConvolution(
                n,
                c,
                h,
                w,
                k,
                r,
                s,
                1 + (h + top + bottom - (r - 1) * dilation - 1) / stride,
                1 + (w + left + right - (s - 1) * dilation - 1) / stride,
                top,
                left,
                stride,
                stride,
                dilation,
                dilation,
                groups);
    }

    interface Term {
        void add(int x, int w, int y);
    }

    int inputs() {
        return n * h * w * c;
    }

    int weights() {
        return k * r * s * (c / groups);
    }

    int outputs() {
        return n * p * q * k;
    }

    /** Calls the term for every product of the convolution, with flat indices. */
    void each(Term term) {
        int width = c / groups;
        for (int image = 0; image < n; image++) {
            for (int y = 0; y < p; y++) {
                for (int x = 0; x < q; x++) {
                    for (int filter = 0; filter < k; filter++) {
                        for (int row = 0; row < r; row++) {
                            for (int column = 0; column < s; column++) {
                                int fromY = y * strideY - top + row * dilationY;
                                int fromX = x * strideX - left + column * dilationX;
                                if (fromY < 0 || fromY >= h || fromX < 0 || fromX >= w) {
                                    continue;
                                }
                                for (int i = 0; i < width; i++) {
                                    int channel = filter / (k / groups) * width + i;
                                    term.add(
                                            ((image * h + fromY) * w + fromX) * c + channel,
                                            ((filter * r + row) * s + column) * width + i,
                                            ((image * p + y) * q + x) * k + filter);
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    double[] forward(float[] input, float[] weight) {
        double[] output = new double[outputs()];
        each((x, w, y) -> output[y] += (double) input[x] * weight[w]);
        return output;
    }

    double[] gradInput(float[] weight, float[] gradOutput) {
        double[] gradInput = new double[inputs()];
        each((x, w, y) -> gradInput[x] += (double) weight[w] * gradOutput[y]);
        return gradInput;
    }

    double[] gradWeight(float[] input, float[] gradOutput) {
        double[] gradWeight = new double[weights()];
        each((x, w, y) -> gradWeight[w] += (double) input[x] * gradOutput[y]);
        return gradWeight;
    }
}
