/** Packed record files: one split of a data set each, with random access and checksums. The bytes are drawn in {@code docs/record-format.md}. */
package tenon.io.record;
