package tenon.apps.training;

import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/**
 * A class with its probability.
 *
 * @param classIndex among the network's outputs
 * @param name of the class
 * @param probability in [0, 1]
 */
public record Prediction(int classIndex, String name, double probability) {
    /** The {@code count} likeliest classes, likeliest first; of equally likely ones, the first first. */
    public static List<Prediction> likeliest(float[] probabilities, List<String> names, int count) {
        return IntStream.range(0, probabilities.length)
                .mapToObj(i -> new Prediction(i, names.get(i), probabilities[i]))
                .sorted(Comparator.comparingDouble(Prediction::probability).reversed())
                .limit(count)
                .toList();
    }
}
