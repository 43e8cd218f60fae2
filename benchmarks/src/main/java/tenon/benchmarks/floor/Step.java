package tenon.benchmarks.floor;

/**
 * One primitive of a chain.
 *
 * @param family e.g. {@code conv backward weights}
 * @param layer dotted name
 * @param shape of the largest activation
 * @param flops floating-point operations, 0 where memory decides
 * @param bytes read and written
 */
record Step(String family, String layer, String shape, Primitive primitive, long flops, long bytes) {}
