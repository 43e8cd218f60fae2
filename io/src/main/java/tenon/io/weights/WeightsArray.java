package tenon.io.weights;

import java.util.List;

/**
 * One array of a file.
 *
 * @param shape empty for a single number
 */
public record WeightsArray(String name, List<Integer> shape, ElementType type) {
    public WeightsArray {
        shape = List.copyOf(shape);
    }

    public int elementCount() {
        int count = 1;
        for (int dim : shape) {
            count = Math.multiplyExact(count, dim);
        }
        return count;
    }

    @Override
    public String toString() {
        return type + shape.toString();
    }
}
