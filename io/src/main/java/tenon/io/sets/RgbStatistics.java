package tenon.io.sets;

import java.nio.file.Path;
import java.util.List;
import tenon.io.build.BuildException;
import tenon.io.build.BuildReport;
import tenon.io.build.BuildSettings;
import tenon.io.build.OrderedParallel;
import tenon.io.image.Image;
import tenon.io.image.ImageCodec;
import tenon.io.image.ImageException;

/**
 * Statistics of a set of images in which every image counts the same, whatever its size.
 *
 * @param means the mean over the images of each image's own mean
 * @param stds root of the mean over the images of each one's mean squared difference from {@code means}
 */
record RgbStatistics(Rgb means, Rgb stds) {
    /** Of one image: the mean of each channel's values, then of their squares; or why it is left out. */
    private record Moments(double[] values, BuildReport.Skipped skipped) {}

    /**
     * Decodes the files at their size. The result does not depend on the number of threads.
     *
     * @param settings threads, progress, and whether to stop
     * @param skipped gets the files that cannot be decoded, which do not count
     * @throws BuildException when none can be decoded
     */
    static RgbStatistics of(List<String> files, BuildSettings settings, List<BuildReport.Skipped> skipped) {
        double[] sums = new double[6];
        int[] done = {0};
        OrderedParallel.forEach(files, settings.threads(), RgbStatistics::moments, image -> {
            if (settings.stopped()) {
                throw new BuildException("channel means: stopped after " + done[0] + " of " + files.size() + " images");
            }
            done[0]++;
            if (image.skipped() == null) {
                for (int i = 0; i < sums.length; i++) {
                    sums[i] += image.values()[i];
                }
            } else {
                skipped.add(image.skipped());
                settings.progress().skipped(image.skipped());
            }
            settings.progress().update("channel means", done[0], files.size());
        });
        int counted = files.size() - skipped.size();
        if (counted == 0) {
            throw new BuildException("channel means: none of " + files.size() + " images can be decoded"
                    + (skipped.isEmpty()
                            ? ""
                            : "; the first: " + skipped.getFirst().reason()));
        }
        double[] stds = new double[3];
        for (int c = 0; c < 3; c++) {
            double mean = sums[c] / counted;
            stds[c] = Math.sqrt(Math.max(0, sums[3 + c] / counted - mean * mean));
        }
        return new RgbStatistics(
                new Rgb(sums[0] / counted, sums[1] / counted, sums[2] / counted), new Rgb(stds[0], stds[1], stds[2]));
    }

    private static Moments moments(String file) {
        try {
            Image image = ImageCodec.read(Path.of(file)).withChannels(3);
            long[] sums = new long[6];
            byte[] pixels = image.pixels();
            for (int i = 0; i < pixels.length; i += 3) {
                for (int c = 0; c < 3; c++) {
                    int value = pixels[i + c] & 0xFF;
                    sums[c] += value;
                    sums[3 + c] += value * value;
                }
            }
            double[] moments = new double[6];
            for (int i = 0; i < moments.length; i++) {
                moments[i] = sums[i] / (pixels.length / 3.0);
            }
            return new Moments(moments, null);
        } catch (ImageException e) {
            return new Moments(null, new BuildReport.Skipped(file, e.getMessage()));
        }
    }
}
