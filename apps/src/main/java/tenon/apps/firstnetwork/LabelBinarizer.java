package tenon.apps.firstnetwork;

import java.util.Collection;
import java.util.List;
import java.util.TreeSet;
import tenon.engine.TenonException;

/**
 * Class names to target rows, fitted on the training labels: classes stand in alphabetical order. Like the one of scikit-learn, two classes
 * give a single 0/1 column; {@link #oneHot} gives two.
 *
 * @param classes distinct names, sorted
 */
public record LabelBinarizer(List<String> classes) {
    public LabelBinarizer {
        classes = List.copyOf(classes);
        if (!classes.equals(List.copyOf(new TreeSet<>(classes))) || classes.size() < 2) {
            throw new TenonException(
                    "label binarizer: needs at least 2 distinct class names in sorted order: " + classes);
        }
    }

    public static LabelBinarizer fit(Collection<String> labels) {
        return new LabelBinarizer(List.copyOf(new TreeSet<>(labels)));
    }

    /** Index of the class, from 0. */
    public int index(String label) {
        int index = classes.indexOf(label);
        if (index < 0) {
            throw new TenonException(
                    "label binarizer: '" + label + "' is none of the classes it was fitted on: " + classes);
        }
        return index;
    }

    /** One row per label: a column per class, or one column (1 for the second class) when there are two classes. */
    public float[][] transform(List<String> labels) {
        if (classes.size() > 2) {
            return oneHot(labels);
        }
        return labels.stream().map(label -> new float[] {index(label)}).toArray(float[][]::new);
    }

    /** One row per label with a column per class, also for two classes. */
    public float[][] oneHot(List<String> labels) {
        return labels.stream()
                .map(label -> {
                    float[] row = new float[classes.size()];
                    row[index(label)] = 1;
                    return row;
                })
                .toArray(float[][]::new);
    }
}
