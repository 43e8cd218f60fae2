package tenon.optim.metrics;

/** How many samples of each true class (rows) were taken for which class (columns). */
public final class ConfusionMatrix {
    private final int classes;
    private final long[] counts;

    public ConfusionMatrix(int classes) {
        this.classes = classes;
        this.counts = new long[Math.multiplyExact(classes, classes)];
    }

    public void add(int actual, int predicted) {
        if (actual < 0 || actual >= classes || predicted < 0 || predicted >= classes) {
            throw new IllegalArgumentException("confusion matrix: classes must lie in [0, " + classes + "): actual="
                    + actual + ", predicted=" + predicted);
        }
        counts[actual * classes + predicted]++;
    }

    public int classes() {
        return classes;
    }

    public long count(int actual, int predicted) {
        return counts[actual * classes + predicted];
    }

    /** Samples of a true class. */
    public long actual(int index) {
        long sum = 0;
        for (int j = 0; j < classes; j++) {
            sum += count(index, j);
        }
        return sum;
    }

    /** Samples taken for a class. */
    public long predicted(int index) {
        long sum = 0;
        for (int i = 0; i < classes; i++) {
            sum += count(i, index);
        }
        return sum;
    }
}
