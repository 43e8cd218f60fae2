package tenon.io.record;

/**
 * One sample, copied out of its file and checked.
 *
 * @param image H·W·C bytes, or a JPEG or PNG file's bytes
 * @param source where the sample came from, may be empty
 */
public record Sample(byte[] image, Label label, String key, String source) {}
