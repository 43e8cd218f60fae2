package tenon.io.weights;

import java.util.Map;

/**
 * Named arrays in a file. Names, shapes and types were checked against the file's length when it was opened; values are read array by array. One thread at a
 * time.
 */
public interface WeightsFile extends AutoCloseable {
    /** Kind and path, as messages begin: {@code mxnet weights vgg16-0000.params}. */
    String where();

    /** What is in it, in the file's order, by name. */
    Map<String, WeightsArray> arrays();

    /**
     * An array's values in row-major order, as floats.
     *
     * @throws WeightsException when there is none of that name, or it is damaged
     */
    float[] read(String name);

    @Override
    void close();
}
