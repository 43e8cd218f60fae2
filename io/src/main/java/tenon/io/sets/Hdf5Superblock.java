package tenon.io.sets;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;

/**
 * The beginning of an HDF5 file (format specification, chapter II), as far as it tells how long the file must be: readers that do not look may take what was cut
 * off for zeros.
 */
public final class Hdf5Superblock {
    private static final byte[] SIGNATURE = {(byte) 0x89, 'H', 'D', 'F', '\r', '\n', 0x1A, '\n'};
    /** Of the superblock without its checksum, at most. */
    private static final int BYTES = 60;

    private Hdf5Superblock() {}

    /** @throws tenon.io.build.BuildException when this is no HDF5 file, or it ends before its end */
    public static void checkLength(Path path) {
        try (RandomFile file = new RandomFile(path, "hdf5 file")) {
            // Behind a user's block of 512 bytes, or twice, four times … as many.
            for (long at = 0; at + BYTES <= file.size(); at = at == 0 ? 512 : 2 * at) {
                ByteBuffer block = ByteBuffer.wrap(file.read(at, BYTES)).order(ByteOrder.LITTLE_ENDIAN);
                if (Arrays.equals(Arrays.copyOf(block.array(), SIGNATURE.length), SIGNATURE)) {
                    long end = end(block, file);
                    if (end < 0 || end > file.size()) {
                        throw file.error("the file is truncated: bytes=" + file.size() + ", wanted=" + end
                                + " (copy or fetch it again)");
                    }
                    return;
                }
            }
            throw file.error("this is no HDF5 file, or only the beginning of one: bytes=" + file.size());
        }
    }

    private static long end(ByteBuffer block, RandomFile file) {
        int version = block.get(8);
        int offsetBytes = version < 2 ? block.get(13) : block.get(9);
        if (version < 0 || version > 3 || offsetBytes != 4 && offsetBytes != 8) {
            throw file.error("its superblock is damaged or of an unknown version: version=" + version
                    + ", bytes per offset=" + offsetBytes);
        }
        // The end of the file is the third address, behind the base address and that of free space or an extension.
        int addresses = version == 0 ? 24 : version == 1 ? 28 : 12;
        int at = addresses + 2 * offsetBytes;
        return offsetBytes == 4 ? block.getInt(at) & 0xFFFFFFFFL : block.getLong(at);
    }
}
