package tenon.benchmarks.loader;

/** One of the two loaders that are compared, ready to run for a while, again and again. */
interface Side extends AutoCloseable {
    /** Loads images for about that long and returns how many it finished a second. */
    double imagesPerSecond(double seconds);

    @Override
    void close();
}
