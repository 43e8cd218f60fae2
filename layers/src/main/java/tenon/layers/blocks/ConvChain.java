package tenon.layers.blocks;

import tenon.layers.Conv2d;
import tenon.layers.Initializer;

/**
 * Geometry of a residual unit's convolutions.
 *
 * @param kernels square, padded by half their size
 * @param channels one more than kernels: convolution i goes from {@code channels[i]} to {@code channels[i + 1]}
 * @param strided the convolution that has the stride
 * @param bias of all, and of the projection
 */
record ConvChain(int[] kernels, int[] channels, int strided, int stride, boolean bias) {
    /** @param stridedFirst whether the first 1×1 convolution has the stride, else the 3×3 */
    static ConvChain bottleneck(int channels, int filters, int stride, boolean stridedFirst, boolean bias) {
        int inner = filters / 4;
        int[] kernels = {1, 3, 1};
        return new ConvChain(kernels, new int[] {channels, inner, inner, filters}, stridedFirst ? 0 : 1, stride, bias);
    }

    static ConvChain basic(int channels, int filters, int stride, boolean bias) {
        return new ConvChain(new int[] {3, 3}, new int[] {channels, filters, filters}, 0, stride, bias);
    }

    int length() {
        return kernels.length;
    }

    int channels(int i) {
        return channels[i];
    }

    Conv2d conv(int i, Initializer initializer) {
        return conv(channels[i], channels[i + 1], kernels[i], i == strided ? stride : 1, initializer);
    }

    /** 1×1 from the unit's input to its output. */
    Conv2d projection(Initializer initializer) {
        return conv(channels[0], channels[length()], 1, stride, initializer);
    }

    void checkShortcut(String unit, boolean projected) {
        if (!projected && (stride != 1 || channels[0] != channels[length()])) {
            throw new IllegalArgumentException(unit + ": without projection the output must have the input's shape:"
                    + " channels=" + channels[0] + ", filters=" + channels[length()] + ", stride=" + stride);
        }
    }

    private Conv2d conv(int in, int out, int kernel, int convStride, Initializer initializer) {
        return Conv2d.builder(in, out, kernel)
                .stride(convStride)
                .padding(kernel / 2)
                .bias(bias)
                .initializer(initializer)
                .build();
    }
}
