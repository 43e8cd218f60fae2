package tenon.io.data;

import java.util.Arrays;
import java.util.List;
import tenon.engine.ShapeException;
import tenon.io.record.RecordSchema;

/**
 * Maps pixel values 0…255 to network inputs, (value − mean) / std per channel. One mean and std stand for all channels.
 *
 * @param means on the scale 0…255, one or one per channel
 * @param stds divisors, as many as means
 */
public record Normalization(float[] means, float[] stds) {
    /** Divides by 255: results lie in [0, 1]. */
    public static final Normalization UNIT = new Normalization(new float[] {0}, new float[] {255});

    /** Keeps 0…255. */
    public static final Normalization NONE = new Normalization(new float[] {0}, new float[] {1});

    public Normalization {
        boolean valid = means.length > 0 && means.length == stds.length;
        for (int i = 0; valid && i < stds.length; i++) {
            valid = Float.isFinite(means[i]) && Float.isFinite(stds[i]) && stds[i] > 0;
        }
        if (!valid) {
            throw new ShapeException("normalization: means and stds must be equally many, finite, stds positive: means="
                    + Arrays.toString(means) + ", stds=" + Arrays.toString(stds));
        }
        means = means.clone();
        stds = stds.clone();
    }

    /** Mean 0 and standard deviation 1 per channel, from the statistics of a file (use the training file's for every split). */
    public static Normalization standardize(RecordSchema schema) {
        if (schema.channelMeans().isEmpty()) {
            throw new ShapeException("normalization: split '" + schema.split()
                    + "' has no channel statistics (build it again, or give means and stds)");
        }
        return new Normalization(toFloats(schema.channelMeans()), toFloats(schema.channelStds()));
    }

    private static float[] toFloats(List<Double> values) {
        float[] out = new float[values.size()];
        for (int i = 0; i < out.length; i++) {
            out[i] = values.get(i).floatValue();
        }
        return out;
    }

    void checkChannels(int channels) {
        if (means.length != 1 && means.length != channels) {
            throw new ShapeException(
                    "normalization: needs 1 mean or one per channel: means=" + means.length + ", channels=" + channels);
        }
    }

    /** Whether both give images of that many channels the same values. */
    public boolean isSame(Normalization other, int channels) {
        for (int c = 0; c < channels; c++) {
            if (mean(c) != other.mean(c) || std(c) != other.std(c)) {
                return false;
            }
        }
        return true;
    }

    float mean(int channel) {
        return means[means.length == 1 ? 0 : channel];
    }

    float std(int channel) {
        return stds[stds.length == 1 ? 0 : channel];
    }

    /** The 256 results of each channel: entry channel·256 + value. */
    float[] table(int channels) {
        float[] table = new float[channels * 256];
        for (int c = 0; c < channels; c++) {
            for (int v = 0; v < 256; v++) {
                table[c * 256 + v] = (v - mean(c)) / std(c);
            }
        }
        return table;
    }
}
