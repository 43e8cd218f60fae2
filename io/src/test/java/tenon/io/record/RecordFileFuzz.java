package tenon.io.record;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Arrays;

/**
 * Any bytes are a record file whose samples can be read, or a {@link RecordException}. The checksums keep a fuzzer's changes from everything behind
 * them, so the bytes are tried a second time with right ones.
 */
public final class RecordFileFuzz {
    private static final Path NAME = Path.of("fuzz.trec");

    private RecordFileFuzz() {}

    public static void fuzzerTestOneInput(byte[] bytes) {
        readAll(bytes);
        readAll(RecordBytes.sealed(bytes));
    }

    private static void readAll(byte[] bytes) {
        try (Arena arena = Arena.ofConfined()) {
            RecordReader reader = new RecordReader(NAME, MemorySegment.ofArray(bytes), arena);
            for (int i = 0; i < reader.sampleCount(); i++) {
                reader.describe(i);
                readOne(reader, i, bytes);
            }
            reader.verify((_, _) -> {}, (_, _) -> {}, _ -> {});
        } catch (RecordException e) {
            checkMessage(e);
        }
    }

    private static void readOne(RecordReader reader, int sample, byte[] bytes) {
        try {
            byte[] image = reader.read(sample).image();
            int from = (int) reader.offset(sample);
            if (!Arrays.equals(image, Arrays.copyOfRange(bytes, from, from + reader.imageBytes(sample)))) {
                throw new AssertionError("sample " + sample + " is not what the file holds at " + from);
            }
        } catch (RecordException e) {
            checkMessage(e);
        }
    }

    private static void checkMessage(RecordException e) {
        if (!e.getMessage().startsWith("record file " + NAME + ": ")) {
            throw new AssertionError("the message must begin with the file: " + e.getMessage(), e);
        }
    }
}
