package tenon.io.mxnet;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import tenon.io.build.BuildException;

/** Any bytes are an MXNet record file whose records can be read, and written again to be read the same, or a {@link BuildException}. */
public final class MxRecordFuzz {
    private MxRecordFuzz() {}

    public static void fuzzerTestOneInput(byte[] bytes) throws IOException {
        Path file = Files.createTempFile("fuzz", ".rec");
        Path copy = Files.createTempFile("fuzz", ".rec");
        try {
            Files.write(file, bytes);
            try (RecordIoReader reader = new RecordIoReader(file)) {
                ByteArrayOutputStream out = new ByteArrayOutputStream();
                RecordIoWriter writer = new RecordIoWriter(out);
                for (int i = 0; i < reader.count(); i++) {
                    writer.write(reader.read(i));
                    readImage(reader, i);
                }
                Files.write(copy, out.toByteArray());
                compare(reader, copy);
            } catch (BuildException e) {
                checkMessage(e, file);
            }
        } finally {
            Files.delete(file);
            Files.delete(copy);
        }
    }

    private static void readImage(RecordIoReader reader, int record) throws IOException {
        try {
            byte[] payload = reader.read(record);
            ImageRecord image = ImageRecord.parse(payload, "mxnet record file " + reader.path());
            ImageRecord again = ImageRecord.parse(image.payload(), "copy");
            if (again.id() != image.id()
                    || !Arrays.equals(again.labels(), image.labels())
                    || !Arrays.equals(again.image(), image.image())) {
                throw new AssertionError("record " + record + " changes when it is written again");
            }
        } catch (BuildException e) {
            checkMessage(e, reader.path());
        }
    }

    private static void compare(RecordIoReader reader, Path copy) throws IOException {
        try (RecordIoReader again = new RecordIoReader(copy)) {
            if (again.count() != reader.count()) {
                throw new AssertionError(reader.count() + " records became " + again.count());
            }
            for (int i = 0; i < reader.count(); i++) {
                if (!Arrays.equals(reader.read(i), again.read(i))) {
                    throw new AssertionError("record " + i + " changes when it is written again");
                }
            }
        } catch (BuildException e) {
            throw new AssertionError("what was written cannot be read", e);
        }
    }

    private static void checkMessage(BuildException e, Path file) {
        if (!e.getMessage().startsWith("mxnet record file " + file)) {
            throw new AssertionError("the message must begin with the file: " + e.getMessage(), e);
        }
    }
}
