package tenon.apps.training;

import java.util.Arrays;
import java.util.Locale;
import tenon.apps.cli.UsageException;
import tenon.io.data.Normalization;
import tenon.io.record.RecordSchema;

/** How pixel values 0…255 become inputs. */
public enum Scaling {
    UNIT("0 to 1"),
    STANDARDIZE("mean 0 and deviation 1 per channel, by the statistics of the training records"),
    MEAN("minus the channel means of the training records, not divided"),
    VGG_MEAN("minus 123.68, 116.779, 103.939 (the VGG authors' means of ImageNet), not divided"),
    IMAGENET("mean 0 and deviation 1 per channel, by ImageNet's usual statistics"),
    SYMMETRIC("-1 to 1");

    private final String description;

    Scaling(String description) {
        this.description = description;
    }

    public String description() {
        return description;
    }

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /** Whether it takes the statistics of the training records. */
    public boolean isMeasured() {
        return this == MEAN || this == STANDARDIZE;
    }

    /** @param training header of the training records; null for scalings that need no statistics */
    public Normalization normalization(RecordSchema training) {
        return switch (this) {
            case UNIT -> Normalization.UNIT;
            case STANDARDIZE -> Normalization.standardize(training);
            case MEAN -> subtract(means(training));
            case VGG_MEAN -> subtract(123.68f, 116.779f, 103.939f);
            case IMAGENET ->
                new Normalization(
                        new float[] {0.485f * 255, 0.456f * 255, 0.406f * 255},
                        new float[] {0.229f * 255, 0.224f * 255, 0.225f * 255});
            case SYMMETRIC -> new Normalization(new float[] {127.5f}, new float[] {127.5f});
        };
    }

    private static float[] means(RecordSchema training) {
        if (training.channelMeans().isEmpty()) {
            throw new UsageException("--normalize mean needs records that say their channel means, and split '"
                    + training.split() + "' does not (build it again, or choose --normalize vgg-mean)");
        }
        float[] means = new float[training.channelMeans().size()];
        for (int c = 0; c < means.length; c++) {
            means[c] = training.channelMeans().get(c).floatValue();
        }
        return means;
    }

    private static Normalization subtract(float... means) {
        float[] ones = new float[means.length];
        Arrays.fill(ones, 1);
        return new Normalization(means, ones);
    }
}
