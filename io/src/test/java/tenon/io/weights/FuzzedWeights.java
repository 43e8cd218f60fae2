package tenon.io.weights;

/** What a fuzz target does with a file that could be opened. */
final class FuzzedWeights {
    private FuzzedWeights() {}

    static void readAll(WeightsFile file) {
        for (WeightsArray array : file.arrays().values()) {
            float[] values;
            try {
                values = file.read(array.name());
            } catch (WeightsException _) {
                continue;
            }
            if (values.length != array.elementCount()) {
                throw new AssertionError(array + " has " + values.length + " values");
            }
        }
    }
}
