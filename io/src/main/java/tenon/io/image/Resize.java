package tenon.io.image;

/** Resampling of whole images. */
public final class Resize {
    private Resize() {}

    /**
     * Stretches or squashes to the given size by bilinear interpolation with half-pixel centres: output pixel x samples the input at
     * (x + 0.5)·w/W − 0.5, clamped to the image, as OpenCV's {@code INTER_LINEAR} does (its fixed-point weights may differ by 1 in 255).
     * No smoothing before shrinking; the aspect ratio is not kept.
     */
    public static Image bilinear(Image image, int width, int height) {
        if (width == image.width() && height == image.height()) {
            return image;
        }
        int channels = image.channels();
        byte[] in = image.pixels();
        byte[] out = new byte[Math.multiplyExact(Math.multiplyExact(width, height), channels)];
        int[] left = new int[width];
        int[] right = new int[width];
        float[] fraction = new float[width];
        for (int x = 0; x < width; x++) {
            double at = clamp((x + 0.5) * image.width() / width - 0.5, image.width() - 1);
            int x0 = (int) at;
            left[x] = x0 * channels;
            right[x] = Math.min(x0 + 1, image.width() - 1) * channels;
            fraction[x] = (float) (at - x0);
        }
        int rowBytes = image.width() * channels;
        int o = 0;
        for (int y = 0; y < height; y++) {
            double at = clamp((y + 0.5) * image.height() / height - 0.5, image.height() - 1);
            int y0 = (int) at;
            int top = y0 * rowBytes;
            int bottom = Math.min(y0 + 1, image.height() - 1) * rowBytes;
            float fy = (float) (at - y0);
            for (int x = 0; x < width; x++) {
                float fx = fraction[x];
                for (int c = 0; c < channels; c++) {
                    float upper = lerp(in[top + left[x] + c], in[top + right[x] + c], fx);
                    float lower = lerp(in[bottom + left[x] + c], in[bottom + right[x] + c], fx);
                    out[o++] = (byte) (int) (upper + fy * (lower - upper) + 0.5f);
                }
            }
        }
        return new Image(width, height, channels, out);
    }

    private static double clamp(double at, int last) {
        return Math.max(0, Math.min(at, last));
    }

    private static float lerp(byte a, byte b, float fraction) {
        int low = a & 0xFF;
        return low + fraction * ((b & 0xFF) - low);
    }
}
