package tenon.apps;

import static org.assertj.core.api.Assertions.assertThat;

import java.awt.Color;
import java.awt.image.BufferedImage;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.zip.GZIPOutputStream;
import javax.imageio.ImageIO;
import tenon.io.record.Label;
import tenon.io.record.RecordSchema;
import tenon.io.record.RecordWriter;

/** Small data sets that a network can learn: what they show follows from their class. */
public final class TestData {
    private TestData() {}

    /** Writes a pair of .gz IDX files of grey pictures: class c is a bright bar at row c·height/classes, on noise. */
    public static void idx(Path images, Path labels, int count, int height, int width, int classes, long seed)
            throws IOException {
        Random random = new Random(seed);
        Files.createDirectories(images.toAbsolutePath().getParent());
        try (DataOutputStream pixels = gzip(images);
                DataOutputStream classOf = gzip(labels)) {
            pixels.writeInt(0x0803);
            pixels.writeInt(count);
            pixels.writeInt(height);
            pixels.writeInt(width);
            classOf.writeInt(0x0801);
            classOf.writeInt(count);
            for (int i = 0; i < count; i++) {
                int label = random.nextInt(classes);
                classOf.writeByte(label);
                byte[] picture = new byte[height * width];
                random.nextBytes(picture);
                for (int p = 0; p < picture.length; p++) {
                    boolean bar = p / width * classes / height == label;
                    picture[p] = (byte) ((picture[p] & 0x3F) + (bar ? 180 : 0));
                }
                pixels.write(picture);
            }
        }
    }

    private static DataOutputStream gzip(Path file) throws IOException {
        OutputStream raw = Files.newOutputStream(file);
        return new DataOutputStream(new GZIPOutputStream(raw));
    }

    /** Writes {@code folder/class/i.png} for every class: each has a colour and stripes of its own, and noise. */
    public static void pictures(Path folder, List<String> classes, int perClass, int width, int height, long seed)
            throws IOException {
        Random random = new Random(seed);
        for (int c = 0; c < classes.size(); c++) {
            Path classFolder = Files.createDirectories(folder.resolve(classes.get(c)));
            for (int i = 0; i < perClass; i++) {
                ImageIO.write(
                        picture(c, classes.size(), width, height, random),
                        "png",
                        classFolder.resolve(i + ".png").toFile());
            }
        }
    }

    /**
     * Three classes of pictures as record files: 72 of 12×12 in {@code train.trec}, 18 in {@code val.trec}.
     *
     * @param pictures where the pictures themselves go, 20×16
     */
    public static void records(Path pictures, Path records) throws IOException {
        pictures(pictures, List.of("a", "b", "c"), 30, 20, 16, 5);
        Cli.Result built = Cli.run(
                "build", "folder", pictures, "--output", records, "--size", "12x12x3", "--val", 0.2, "--stratified");
        assertThat(built.err()).isEmpty();
        assertThat(built.exitCode()).isZero();
    }

    /** Writes {@code count} pictures of noise, which take turns in the classes. */
    public static Path noise(Path file, String split, int height, int width, List<String> classes, int count, long seed)
            throws IOException {
        Random random = new Random(seed);
        try (RecordWriter writer =
                RecordWriter.create(file, RecordSchema.rawClasses(split, height, width, 3, classes))) {
            for (int i = 0; i < count; i++) {
                byte[] pixels = new byte[height * width * 3];
                random.nextBytes(pixels);
                writer.add(pixels, Label.ofClass(i % classes.size()), "key" + i, "");
            }
            writer.commit();
        }
        return file;
    }

    static BufferedImage picture(int c, int classes, int width, int height, Random random) {
        BufferedImage picture = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; x++) {
                float brightness = (c % 2 == 0 ? x : y) / 4 % 2 == 0 ? 0.9f : 0.5f;
                Color color = Color.getHSBColor((float) c / classes, 0.8f, brightness - random.nextFloat() * 0.3f);
                picture.setRGB(x, y, color.getRGB());
            }
        }
        return picture;
    }
}
