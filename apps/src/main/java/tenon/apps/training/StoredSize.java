package tenon.apps.training;

import tenon.apps.cli.UsageException;
import tenon.io.augment.Crop;
import tenon.io.record.RecordSchema;

/**
 * Size in which a record file's pictures are stored, where all have the same. Presets squash or crop them to a network's input.
 */
public record StoredSize(int height, int width) {
    /** Null where pictures differ in size. */
    static StoredSize of(RecordSchema schema) {
        return schema.height() == 0 ? null : new StoredSize(schema.height(), schema.width());
    }

    private static StoredSize input(NetworkSpec spec) {
        return new StoredSize(spec.height(), spec.width());
    }

    boolean covers(int leastHeight, int leastWidth) {
        return height >= leastHeight && width >= leastWidth;
    }

    /**
     * Throws unless pictures are large enough for what a preset crops, if it does.
     *
     * @param training whether they are trained on, or judged by
     */
    static void checkRoom(
            String file, RecordSchema schema, Augmentation preset, boolean training, int height, int width) {
        StoredSize stored = of(schema);
        boolean crops = (training ? preset.training(height, width) : preset.evaluation(height, width))
                .stream().anyMatch(Crop.class::isInstance);
        // Who squashes first, crops what has the input's size.
        if (stored != null && crops && preset.fit() != Fit.SQUASH && !stored.covers(height, width)) {
            throw new UsageException(file + ": its pictures must be at least as large as the " + height + "x" + width
                    + " that --augment " + preset + " crops: they are stored as " + stored + " (height x width; build"
                    + " them larger, make --size smaller, or choose an --augment that squashes, such as flip)");
        }
    }

    /**
     * A warning of pictures that are squashed otherwise than those of training were, if at all.
     *
     * @param training size of training's pictures; null where it is not known
     * @return null where there is nothing
     */
    static String squashed(
            String file, RecordSchema schema, Augmentation preset, NetworkSpec spec, StoredSize training) {
        StoredSize stored = of(schema);
        if (stored == null || preset.fit() != Fit.SQUASH || stored.equals(training)) {
            return null;
        }
        StoredSize input = input(spec);
        if (training != null && !training.equals(input)) {
            return file + ": its pictures are stored as " + stored + " (height x width), those of training as "
                    + training + ", which were squashed to the network's input, " + input;
        }
        return stored.equals(input)
                ? null
                : file + ": its pictures, stored as " + stored
                        + " (height x width), are squashed to the network's input, " + input;
    }

    @Override
    public String toString() {
        return height + "x" + width;
    }
}
