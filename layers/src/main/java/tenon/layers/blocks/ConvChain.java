package tenon.layers.blocks;

import tenon.layers.Conv2d;
import tenon.layers.Initializer;

/**
 * Geometry of a residual unit's convolutions, none with a bias.
 *
 * @param kernels square, padded by half their size
 * @param channels one more than kernels: convolution i goes from {@code channels[i]} to {@code channels[i + 1]}
 * @param strided the convolution that has the stride
 */
record ConvChain(int[] kernels, int[] channels, int strided, int stride) {
    static ConvChain bottleneck(int channels, int filters, int stride) {
        int inner = filters / 4;
        return new ConvChain(new int[] {1, 3, 1}, new int[] {channels, inner, inner, filters}, 1, stride);
    }

    static ConvChain basic(int channels, int filters, int stride) {
        return new ConvChain(new int[] {3, 3}, new int[] {channels, filters, filters}, 0, stride);
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

    private static Conv2d conv(int in, int out, int kernel, int stride, Initializer initializer) {
        return Conv2d.builder(in, out, kernel)
                .stride(stride)
                .padding(kernel / 2)
                .bias(false)
                .initializer(initializer)
                .build();
    }
}
