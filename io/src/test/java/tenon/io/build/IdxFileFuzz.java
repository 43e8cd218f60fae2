package tenon.io.build;

import java.nio.file.Path;
import java.util.Arrays;
import tenon.io.FuzzFile;

/** Any bytes are an IDX file, plain or gzip, or a {@link BuildException}; items of a plain one are the file's bytes behind its header. */
public final class IdxFileFuzz {
    private IdxFileFuzz() {}

    public static void fuzzerTestOneInput(byte[] bytes) {
        Path file = FuzzFile.of(bytes);
        readAll(file, bytes, 1);
        readAll(file, bytes, 3);
    }

    private static void readAll(Path file, byte[] bytes, int rank) {
        try (IdxFile idx = new IdxFile(file, rank)) {
            int header = 4 + 4 * rank;
            boolean plain = bytes[0] == 0;
            for (int i = 0; i < idx.itemCount(); i++) {
                byte[] item = idx.item(i);
                int from = header + i * idx.itemBytes();
                if (item.length != idx.itemBytes()
                        || plain && !Arrays.equals(item, Arrays.copyOfRange(bytes, from, from + item.length))) {
                    throw new AssertionError("item " + i + " is not what the file holds");
                }
            }
        } catch (BuildException e) {
            FuzzFile.checkMessage(e, "idx file " + file + ": ");
        }
    }
}
