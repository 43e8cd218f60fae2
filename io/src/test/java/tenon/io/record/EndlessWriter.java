package tenon.io.record;

import java.nio.file.Path;
import java.util.Arrays;

/** A process that writes the same record files over and over until it is killed. Says {@code WRITER GENERATION} after each commit. */
final class EndlessWriter {
    static final RecordSchema SCHEMA = RecordSchema.rawClasses("train", 64, 1024, 1, TestRecords.CLASSES);
    static final int SAMPLES = 6;

    private EndlessWriter() {}

    static Path file(Path folder, int writer) {
        return folder.resolve("w" + writer + ".trec");
    }

    public static void main(String[] args) {
        Path folder = Path.of(args[0]);
        for (int writer = 0; writer < Integer.parseInt(args[1]); writer++) {
            int number = writer;
            new Thread(() -> write(folder, number)).start();
        }
    }

    private static void write(Path folder, int number) {
        byte[] pixels = new byte[SCHEMA.rawImageBytes()];
        for (int generation = 0; ; generation++) {
            Arrays.fill(pixels, (byte) generation);
            try (RecordWriter writer = RecordWriter.create(file(folder, number), SCHEMA)) {
                for (int i = 0; i < SAMPLES; i++) {
                    writer.add(pixels, Label.ofClass(0), "g" + generation, "");
                }
                writer.commit();
            }
            System.out.println(number + " " + generation);
        }
    }
}
