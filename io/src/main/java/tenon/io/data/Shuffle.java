package tenon.io.data;

import tenon.engine.Rng;
import tenon.engine.ShapeException;

/**
 * How an epoch's order is mixed. A full shuffle reads samples from all over the file, one by one: right while the file fits in memory or lies on
 * flash. A disk that must seek, or is far away, wants long reads: {@link #segments} cuts the order into segments of neighbours, shuffles the segments,
 * and then the samples inside windows of several segments. Only a window at a time is read, each of its segments in one go.
 *
 * @param segment samples per segment; 0 for a full shuffle, 1 or more otherwise; −1 for none
 * @param window segments that are mixed with each other
 */
public record Shuffle(int segment, int window) {
    /** As in the file. */
    public static final Shuffle NONE = new Shuffle(-1, 1);

    /** Every order equally likely. */
    public static final Shuffle FULL = new Shuffle(0, 1);

    public Shuffle {
        if (segment < -1 || window < 1) {
            throw new ShapeException("shuffle: segments must have at least 1 sample and a window at least 1 segment:"
                    + " segment=" + segment + ", window=" + window);
        }
    }

    /**
     * Segment by segment.
     *
     * @param samples per segment
     * @param window segments mixed with each other
     */
    public static Shuffle segments(int samples, int window) {
        if (samples < 1) {
            throw new ShapeException("shuffle: segments must have at least 1 sample: samples=" + samples);
        }
        return new Shuffle(samples, window);
    }

    /** Whether the order is made of windows, each to be read as a whole. */
    boolean isSegmented() {
        return segment > 0;
    }

    /** Places of the order that one window covers. */
    long windowSize() {
        return (long) segment * window;
    }

    void apply(int[] order, Rng rng) {
        if (segment == 0) {
            shuffle(order, 0, order.length, rng);
        } else if (segment > 0) {
            shuffleSegments(order, rng);
        }
    }

    private void shuffleSegments(int[] order, Rng rng) {
        int[] segments = new int[Math.ceilDiv(order.length, segment)];
        for (int i = 0; i < segments.length; i++) {
            segments[i] = i;
        }
        rng.shuffle(segments);
        int[] from = order.clone();
        int at = 0;
        for (int i = 0; i < segments.length; i++) {
            int first = segments[i] * segment;
            int count = Math.min(segment, from.length - first);
            System.arraycopy(from, first, order, at, count);
            at += count;
        }
        for (long first = 0; first < order.length; first += windowSize()) {
            shuffle(order, (int) first, (int) Math.min(order.length, first + windowSize()), rng);
        }
    }

    /** Fisher–Yates, from the end as {@link Rng#shuffle} does. */
    private static void shuffle(int[] values, int from, int to, Rng rng) {
        for (int i = to - 1; i > from; i--) {
            int j = from + rng.nextInt(i - from + 1);
            int swap = values[i];
            values[i] = values[j];
            values[j] = swap;
        }
    }
}
