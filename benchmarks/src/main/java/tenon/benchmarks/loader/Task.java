package tenon.benchmarks.loader;

import tenon.io.data.Normalization;
import tenon.io.record.Records;

/**
 * What both sides of the comparison do with each image: a random crop, mirrored half of the time, normalized.
 *
 * @param crop side of the square crop
 */
record Task(Records records, int crop, Normalization normalization) {
    /** Means and deviations of ImageNet's training images, as many programs use them, on the scale 0…255. */
    static final float[] MEANS = {123.675f, 116.28f, 103.53f};

    static final float[] STDS = {58.395f, 57.12f, 57.375f};

    static Task of(Records records, int crop) {
        return new Task(records, crop, new Normalization(MEANS, STDS));
    }
}
