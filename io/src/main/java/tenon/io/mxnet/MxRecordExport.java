package tenon.io.mxnet;

import java.io.BufferedOutputStream;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.OutputStreamWriter;
import java.io.Writer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.LongConsumer;
import tenon.io.build.BuildException;
import tenon.io.build.ListFile;
import tenon.io.image.Image;
import tenon.io.image.ImageCodec;
import tenon.io.record.ImageEncoding;
import tenon.io.record.Label;
import tenon.io.record.RecordSchema;
import tenon.io.record.Records;
import tenon.io.record.SampleBuffer;

/**
 * Writes records as an MXNet record file with its index and its list: {@code NAME.rec}, {@code NAME.idx}, {@code NAME.lst}. Samples keep their order; id, index key and
 * list index are their numbers. A class is one label, a vector its numbers, and no label a 0. Images that are stored as pixels become PNG files.
 */
public final class MxRecordExport {
    private final Records records;
    private final Path target;

    /** @param target ends with {@code .rec} */
    public MxRecordExport(Records records, Path target) {
        this.records = records;
        this.target = target;
        if (!target.getFileName().toString().endsWith(".rec")) {
            throw new BuildException("mxnet export: the file's name must end with .rec: given=" + target);
        }
    }

    /** The index beside the record file. */
    public Path index() {
        return sibling(".idx");
    }

    /** The list beside the record file. */
    public Path list() {
        return sibling(".lst");
    }

    private Path sibling(String extension) {
        String name = target.getFileName().toString();
        return target.resolveSibling(name.substring(0, name.length() - ".rec".length()) + extension);
    }

    /**
     * Writes the three files, each whole or not at all.
     *
     * @param progress told the number of samples done, after each
     * @throws BuildException when a sample has boxes or is too large, or writing fails
     */
    public void write(LongConsumer progress) {
        List<Path> targets = List.of(target, index(), list());
        List<Path> temporaries = new ArrayList<>();
        try {
            Files.createDirectories(target.toAbsolutePath().getParent());
            for (Path file : targets) {
                temporaries.add(file.resolveSibling(
                        "." + file.getFileName() + "." + ProcessHandle.current().pid() + ".tmp"));
            }
            try (FileChannel rec = create(temporaries.get(0));
                    FileChannel idx = create(temporaries.get(1));
                    FileChannel lst = create(temporaries.get(2))) {
                write(rec, idx, lst, progress);
            }
            for (int i = 0; i < targets.size(); i++) {
                Files.move(
                        temporaries.get(i),
                        targets.get(i),
                        StandardCopyOption.ATOMIC_MOVE,
                        StandardCopyOption.REPLACE_EXISTING);
            }
        } catch (IOException e) {
            throw new BuildException("mxnet export: " + target + " cannot be written: " + e, e);
        } finally {
            temporaries.forEach(MxRecordExport::remove);
        }
    }

    private static FileChannel create(Path file) throws IOException {
        return FileChannel.open(
                file, StandardOpenOption.CREATE, StandardOpenOption.WRITE, StandardOpenOption.TRUNCATE_EXISTING);
    }

    private static void remove(Path temporary) {
        try {
            Files.deleteIfExists(temporary);
        } catch (IOException _) {
            // What led here is the error to report.
        }
    }

    private void write(FileChannel rec, FileChannel idx, FileChannel lst, LongConsumer progress) throws IOException {
        BufferedOutputStream stream = new BufferedOutputStream(Channels.newOutputStream(rec), 1 << 20);
        Writer index = text(idx);
        Writer list = text(lst);
        RecordIoWriter out = new RecordIoWriter(stream);
        SampleBuffer buffer = new SampleBuffer();
        for (int i = 0; i < records.sampleCount(); i++) {
            records.read(i, buffer);
            float[] labels = labels(records.label(i, buffer), i);
            byte[] payload = new ImageRecord(labels, i, imageFile(buffer)).payload();
            if (payload.length > RecordIo.MAX_LENGTH) {
                throw new BuildException("mxnet export: " + records.describe(i)
                        + "a record must have less than 2^29 bytes: " + payload.length);
            }
            index.write(i + "\t" + out.position() + "\n");
            out.write(payload);
            list.write(new ListFile.Entry(i, labels, pathOf(i)).line() + "\n");
            progress.accept(i + 1L);
        }
        stream.flush();
        index.flush();
        list.flush();
        for (FileChannel channel : List.of(rec, idx, lst)) {
            channel.force(true);
        }
    }

    private static Writer text(FileChannel channel) {
        return new BufferedWriter(
                new OutputStreamWriter(Channels.newOutputStream(channel), StandardCharsets.UTF_8), 1 << 16);
    }

    private float[] labels(Label label, int sample) {
        return switch (label) {
            case Label.None _ -> new float[1];
            case Label.OfClass(int index) -> new float[] {index};
            case Label.OfVector(float[] values) -> values;
            case Label.OfBoxes _ ->
                throw new BuildException("mxnet export: " + records.describe(sample)
                        + "boxes cannot be exported, only classes and vectors");
        };
    }

    private byte[] imageFile(SampleBuffer buffer) {
        byte[] stored = Arrays.copyOf(buffer.bytes(), buffer.imageBytes());
        RecordSchema schema = records.schema();
        if (schema.encoding() == ImageEncoding.RAW_F32) {
            throw new BuildException("mxnet export: " + records.files().getFirst() + " holds features, not pictures");
        }
        return schema.encoding() == ImageEncoding.RAW_U8
                ? ImageCodec.encodePng(new Image(schema.width(), schema.height(), schema.channels(), stored))
                : stored;
    }

    /** Where the image came from, fit for one line. */
    private String pathOf(int sample) {
        String source = records.source(sample);
        return (source.isEmpty() ? records.key(sample) : source).replaceAll("[\\t\\r\\n]", " ");
    }
}
