package tenon.io.augment;

import tenon.engine.Rng;

/** Rectangles of random area, aspect ratio and place, chosen as by torchvision. */
final class RandomWindow {
    private static final int ATTEMPTS = 10;

    private RandomWindow() {}

    static boolean isValid(double minArea, double maxArea, double minRatio, double maxRatio) {
        return minArea > 0
                && minArea <= maxArea
                && maxArea <= 1
                && minRatio > 0
                && minRatio <= maxRatio
                && maxRatio < Double.POSITIVE_INFINITY;
    }

    /**
     * Tries up to ten times to fit a drawn area, uniform, and width / height, uniform in its logarithm (two draws each), and then draws row and column.
     *
     * @return null where none fits, which takes no further draw
     */
    static Window draw(
            int inHeight, int inWidth, double minArea, double maxArea, double minRatio, double maxRatio, Rng rng) {
        double logMin = StrictMath.log(minRatio);
        double logMax = StrictMath.log(maxRatio);
        for (int i = 0; i < ATTEMPTS; i++) {
            double area = (double) inHeight * inWidth * rng.nextUniform(minArea, maxArea);
            double ratio = StrictMath.exp(rng.nextUniform(logMin, logMax));
            int w = (int) Math.rint(Math.sqrt(area * ratio));
            int h = (int) Math.rint(Math.sqrt(area / ratio));
            if (w > 0 && w <= inWidth && h > 0 && h <= inHeight) {
                int top = rng.nextInt(inHeight - h + 1);
                int left = rng.nextInt(inWidth - w + 1);
                return new Window(top, left, h, w);
            }
        }
        return null;
    }
}
