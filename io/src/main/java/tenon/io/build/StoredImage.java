package tenon.io.build;

import tenon.io.record.ChannelStatistics;

/**
 * An image as a record holds it.
 *
 * @param bytes a JPEG or PNG file, or H·W·C pixels
 * @param pixels statistics of the picture that was decoded, or that was encoded: a JPEG file's loss is not in them
 */
record StoredImage(byte[] bytes, ChannelStatistics pixels) {}
