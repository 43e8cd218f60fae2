package tenon.apps.training;

import java.nio.file.Path;
import java.util.List;
import tenon.apps.cli.UsageException;
import tenon.io.data.Normalization;
import tenon.io.record.Records;

/**
 * What a network is trained on and judged by while training.
 *
 * @param train samples to learn from
 * @param validation samples to judge each epoch by, never augmented
 * @param normalization for both, and later for every picture the network is asked about
 * @param classNames one per class
 * @param stored size of the training pictures in their file; null where they differ, where there is no file, and in runs of before it was kept
 */
public record DataSpec(
        Part train, Part validation, Normalization normalization, List<String> classNames, StoredSize stored) {
    private static final String SYNTHETIC = "synthetic";

    /** Data whose pictures may be stored in any size. */
    public DataSpec(Part train, Part validation, Normalization normalization, List<String> classNames) {
        this(train, validation, normalization, classNames, null);
    }

    /**
     * Samples of a record file, or made-up ones.
     *
     * @param file path of the record file, or of one of a set of shards; {@value #SYNTHETIC} for random pictures without a file
     * @param from first sample
     * @param to the sample after the last
     */
    public record Part(String file, int from, int to) {
        public Part {
            if (from < 0 || to <= from) {
                throw new UsageException(
                        "data: needs at least one sample of " + file + ": from=" + from + ", to=" + to);
            }
        }

        /** Random pictures without a file. */
        static Part synthetic(int count) {
            return new Part(SYNTHETIC, 0, count);
        }

        boolean isSynthetic() {
            return file.equals(SYNTHETIC);
        }

        /** All samples of a file. */
        public static Part whole(Path file) {
            try (Records reader = Records.open(file)) {
                return new Part(file.toAbsolutePath().toString(), 0, reader.sampleCount());
            }
        }

        public int size() {
            return to - from;
        }
    }

    public static List<String> classNames(Path file) {
        try (Records reader = Records.open(file)) {
            return reader.schema().classNames();
        }
    }
}
