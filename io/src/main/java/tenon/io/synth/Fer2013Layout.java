package tenon.io.synth;

import java.io.BufferedWriter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.StringJoiner;
import tenon.io.image.Image;

/**
 * {@code fer2013/fer2013.csv} with the columns emotion, pixels and Usage: rows of use Training, then PublicTest and PrivateTest, these with an eighth of
 * the training pictures' number, as in the original.
 */
final class Fer2013Layout {
    private static final int CLASSES = 7;
    private static final int SIDE = 48;

    private Fer2013Layout() {}

    static long write(Path parent, SyntheticSet set) throws IOException {
        Path file = Files.createDirectories(parent.resolve("fer2013")).resolve("fer2013.csv");
        int train = Math.multiplyExact(CLASSES, set.perClass());
        int test = CLASSES * Math.max(1, set.perClass() / 8);
        int[] order = set.shuffled(train, "fer2013");
        int count = train + 2 * test;
        try (BufferedWriter out = Files.newBufferedWriter(file)) {
            out.write("emotion,pixels,Usage\n");
            set.each(
                    file.getFileName().toString(),
                    count,
                    i -> row(set, i < train ? order[i] : i, use(i, train, test)),
                    row -> write(out, row));
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
        return count;
    }

    private static String use(int i, int train, int test) {
        if (i < train) {
            return "Training";
        }
        return i < train + test ? "PublicTest" : "PrivateTest";
    }

    private static void write(BufferedWriter out, String row) {
        try {
            out.write(row);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String row(SyntheticSet set, int picture, String use) {
        int label = picture % CLASSES;
        Image image = set.draw(label, picture / CLASSES, SIDE, SIDE).withChannels(1);
        StringJoiner pixels = new StringJoiner(" ");
        for (byte pixel : image.pixels()) {
            pixels.add(Integer.toString(pixel & 0xFF));
        }
        return label + "," + pixels + "," + use + "\n";
    }
}
