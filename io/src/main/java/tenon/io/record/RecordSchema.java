package tenon.io.record;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * What a record file holds; stored in its header as JSON.
 *
 * @param encoding how images are stored
 * @param height rows of every image, 0 if they differ; likewise width and channels, which are 1, 3 (R, G, B) or 4 (and alpha)
 * @param label kind of every label
 * @param labelSize floats per label of kind {@code VECTOR}, else 0
 * @param split name of the part of the data set, e.g. {@code train}
 * @param shard number of this file among the split's {@code shardCount} files, from 0
 * @param classNames in the order of the class indices; empty if there are none
 * @param channelMeans mean of each channel over all pixels of the file, on the scale 0…255: one of grey images, else as many as the raw images' channels, or R, G and
 *     B of encoded ones; empty if unknown
 * @param channelStds standard deviation of each channel (over pixels, divided by their count); empty if unknown
 * @param pixelCount how many pixels these are taken over; 0 if unknown, or where a builder stated the statistics of other images than the file's
 * @param build how the file was made: options of the builder by name, the same in all shards of a set, except {@link #FINGERPRINT}
 */
public record RecordSchema(
        ImageEncoding encoding,
        int height,
        int width,
        int channels,
        LabelKind label,
        int labelSize,
        String split,
        int shard,
        int shardCount,
        List<String> classNames,
        List<Double> channelMeans,
        List<Double> channelStds,
        long pixelCount,
        Map<String, String> build) {
    /** Name of the build option that tells whether a file is still what its inputs and options lead to. */
    public static final String FINGERPRINT = "fingerprint";

    public RecordSchema {
        classNames = classNames == null ? List.of() : List.copyOf(classNames);
        channelMeans = channelMeans == null ? List.of() : List.copyOf(channelMeans);
        channelStds = channelStds == null ? List.of() : List.copyOf(channelStds);
        build = build == null ? Map.of() : Map.copyOf(new TreeMap<>(build));
        require(encoding != null && label != null && split != null, "encoding, label and split must be given");
        require(height >= 0 && width >= 0, "sizes must be at least 0: height=" + height + ", width=" + width);
        require(
                channels == 0 || channels == 1 || channels == 3 || channels == 4,
                "channels must be 1, 3 or 4, or 0 if they differ: " + channels);
        boolean fixed = height > 0 && width > 0 && channels > 0;
        require(
                fixed || height == 0 && width == 0 && channels == 0,
                "height, width and channels must be all given or all 0");
        require(fixed || encoding == ImageEncoding.ENCODED, "raw images need height, width and channels");
        require(
                (long) height * width <= RecordFormat.SEGMENT_BYTES / (Math.max(1, channels) * elementBytes(encoding)),
                "an image must have at most 2^30 bytes: " + height + "x" + width + "x" + channels);
        require(
                label == LabelKind.VECTOR ? labelSize > 0 : labelSize == 0,
                "labelSize must be positive for vectors and 0 otherwise");
        require(
                shardCount > 0 && shardCount <= 99_999 && shard >= 0 && shard < shardCount,
                "shard must lie in [0, shardCount), and shardCount in [1, 99999]: shard=" + shard + ", shardCount="
                        + shardCount);
        require(
                label != LabelKind.CLASS && label != LabelKind.BOXES || !classNames.isEmpty(),
                "class labels and boxes need class names");
        require(channelMeans.size() == channelStds.size(), "channel means and standard deviations go together");
        require(
                channelMeans.size() <= 4
                        && channelMeans.stream().allMatch(Double::isFinite)
                        && channelStds.stream().allMatch(Double::isFinite),
                "channel means and standard deviations must be at most four finite numbers: " + channelMeans + ", "
                        + channelStds);
        require(pixelCount >= 0, "pixelCount must be at least 0: " + pixelCount);
    }

    private static void require(boolean holds, String what) {
        if (!holds) {
            throw new RecordException("record schema: " + what);
        }
    }

    /** Images of one size stored as bytes, with class labels. */
    public static RecordSchema rawClasses(String split, int height, int width, int channels, List<String> classNames) {
        return new RecordSchema(
                ImageEncoding.RAW_U8,
                height,
                width,
                channels,
                LabelKind.CLASS,
                0,
                split,
                0,
                1,
                classNames,
                List.of(),
                List.of(),
                0,
                Map.of());
    }

    /** Rows of {@code count} F32 features, with class labels. */
    public static RecordSchema features(String split, int count, List<String> classNames) {
        return new RecordSchema(
                ImageEncoding.RAW_F32,
                1,
                count,
                1,
                LabelKind.CLASS,
                0,
                split,
                0,
                1,
                classNames,
                List.of(),
                List.of(),
                0,
                Map.of());
    }

    /** JPEG or PNG files of any size, with class labels. */
    public static RecordSchema encodedClasses(String split, List<String> classNames) {
        return new RecordSchema(
                ImageEncoding.ENCODED,
                0,
                0,
                0,
                LabelKind.CLASS,
                0,
                split,
                0,
                1,
                classNames,
                List.of(),
                List.of(),
                0,
                Map.of());
    }

    public RecordSchema withBuild(Map<String, String> options) {
        return with(label, labelSize, shard, shardCount, channelMeans, channelStds, pixelCount, options);
    }

    public RecordSchema withLabel(LabelKind kind, int size) {
        return with(kind, size, shard, shardCount, channelMeans, channelStds, pixelCount, build);
    }

    public RecordSchema withShard(int number, int count) {
        return with(label, labelSize, number, count, channelMeans, channelStds, pixelCount, build);
    }

    /** @param pixels how many they are taken over; 0 if unknown */
    public RecordSchema withChannelStatistics(List<Double> means, List<Double> stds, long pixels) {
        return with(label, labelSize, shard, shardCount, means, stds, pixels, build);
    }

    private RecordSchema with(
            LabelKind kind,
            int size,
            int number,
            int count,
            List<Double> means,
            List<Double> stds,
            long pixels,
            Map<String, String> options) {
        return new RecordSchema(
                encoding,
                height,
                width,
                channels,
                kind,
                size,
                split,
                number,
                count,
                classNames,
                means,
                stds,
                pixels,
                options);
    }

    /** Bytes of one raw image. */
    public int rawImageBytes() {
        return height * width * channels * elementBytes(encoding);
    }

    private static int elementBytes(ImageEncoding encoding) {
        return encoding == ImageEncoding.RAW_F32 ? Float.BYTES : 1;
    }
}
