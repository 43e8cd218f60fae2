package tenon.io.build;

import java.util.ArrayList;
import java.util.List;
import tenon.io.record.Label;
import tenon.io.record.LabelKind;

/**
 * What numbers in a list or MXNet record file mean: classes when every image has one number, and all are whole and at least 0; vectors otherwise.
 *
 * @param size numbers per label of kind {@code VECTOR}, else 0
 */
public record NumberLabels(LabelKind kind, int size, List<String> classNames) {
    /** More classes than any data set has; a damaged label must not make that many names. */
    private static final int MOST_CLASSES = 1_000_000;

    /** Looks at one image's numbers after the other. */
    public static final class Survey {
        private final String file;
        private int size = -1;
        private boolean classes = true;
        private long images;
        private int last;

        /** @param file to begin messages with */
        public Survey(String file) {
            this.file = file;
        }

        /**
         * Takes the next image's numbers.
         *
         * @param where to name it, e.g. {@code line 7}
         */
        public void add(float[] labels, String where) {
            if (size >= 0 && labels.length != size) {
                throw new BuildException(
                        file + ", " + where + ": every image must have as many labels as the first: first=" + size
                                + ", given=" + labels.length);
            }
            size = labels.length;
            classes &= size == 1 && labels[0] >= 0 && labels[0] < MOST_CLASSES && labels[0] == (int) labels[0];
            last = classes ? Math.max(last, (int) labels[0]) : last;
            images++;
        }

        /**
         * What the numbers are.
         *
         * @param names of the classes, or empty for 0, 1, …
         * @throws BuildException when there are names for too few classes, or for numbers that are no classes
         */
        public NumberLabels result(List<String> names) {
            if (images == 0) {
                throw new BuildException(file + ": there are no images in it");
            }
            if (!classes) {
                if (!names.isEmpty()) {
                    throw new BuildException(file + ": class names need one label per image, whole and in [0, "
                            + MOST_CLASSES + "): the file has others");
                }
                return new NumberLabels(LabelKind.VECTOR, size, List.of());
            }
            if (!names.isEmpty() && last >= names.size()) {
                throw new BuildException(file + ": labels must lie in [0, " + names.size()
                        + "), the number of class names:" + " largest=" + last);
            }
            List<String> all = new ArrayList<>(names);
            for (int c = 0; names.isEmpty() && c <= last; c++) {
                all.add(Integer.toString(c));
            }
            return new NumberLabels(LabelKind.CLASS, 0, List.copyOf(all));
        }
    }

    public Label label(float[] labels) {
        return kind == LabelKind.CLASS ? Label.ofClass((int) labels[0]) : Label.ofVector(labels);
    }
}
