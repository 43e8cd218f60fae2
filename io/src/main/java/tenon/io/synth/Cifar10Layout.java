package tenon.io.synth;

import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import tenon.io.image.Image;

/**
 * {@code cifar-10-batches-bin}: a picture is a byte with the label, then 1024 red, 1024 green and 1024 blue bytes. The test batch has a fifth of
 * the training pictures' number, as in the original.
 */
final class Cifar10Layout {
    private static final int CLASSES = 10;
    private static final int SIDE = 32;
    private static final int BATCHES = 5;

    private Cifar10Layout() {}

    static long write(Path parent, SyntheticSet set) throws IOException {
        Path folder = Files.createDirectories(parent.resolve("cifar-10-batches-bin"));
        int train = Math.multiplyExact(CLASSES, set.perClass());
        int test = CLASSES * Math.max(1, set.perClass() / 5);
        int[] order = set.shuffled(train, "cifar10");
        for (int b = 0; b < BATCHES; b++) {
            int from = (int) ((long) train * b / BATCHES);
            int to = (int) ((long) train * (b + 1) / BATCHES);
            write(folder.resolve("data_batch_" + (b + 1) + ".bin"), set, to - from, i -> order[from + i]);
        }
        write(folder.resolve("test_batch.bin"), set, test, i -> train + i);
        String names = IntStream.range(0, CLASSES)
                .mapToObj(c -> Painter.className(c) + "\n")
                .collect(Collectors.joining());
        Files.writeString(folder.resolve("batches.meta.txt"), names);
        return train + (long) test;
    }

    private interface Place {
        /** The picture at place i; its class is the remainder by ten. */
        int picture(int i);
    }

    private static void write(Path file, SyntheticSet set, int count, Place place) throws IOException {
        try (OutputStream out = Files.newOutputStream(file)) {
            set.each(
                    file.getFileName().toString(),
                    count,
                    i -> bytes(set, place.picture(i)),
                    bytes -> write(out, bytes));
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
    }

    private static void write(OutputStream out, byte[] bytes) {
        try {
            out.write(bytes);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static byte[] bytes(SyntheticSet set, int picture) {
        int label = picture % CLASSES;
        Image image = set.draw(label, picture / CLASSES, SIDE, SIDE);
        int plane = SIDE * SIDE;
        byte[] bytes = new byte[1 + 3 * plane];
        bytes[0] = (byte) label;
        for (int p = 0; p < plane; p++) {
            for (int c = 0; c < 3; c++) {
                bytes[1 + c * plane + p] = image.pixels()[3 * p + c];
            }
        }
        return bytes;
    }
}
