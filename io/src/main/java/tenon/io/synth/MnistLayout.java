package tenon.io.synth;

import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.GZIPOutputStream;
import tenon.io.image.Image;

/** MNIST's pairs of IDX files. There are a sixth as many test pictures as training pictures, as in the original. */
final class MnistLayout {
    private static final int CLASSES = 10;
    private static final int SIDE = 28;

    private MnistLayout() {}

    static long write(Path folder, SyntheticSet set) throws IOException {
        int train = Math.multiplyExact(CLASSES, set.perClass());
        int test = CLASSES * Math.max(1, set.perClass() / 6);
        int[] order = set.shuffled(train, "mnist");
        write(folder, "train", set, train, i -> order[i]);
        write(folder, "t10k", set, test, i -> train + i);
        return train + (long) test;
    }

    private interface Place {
        /** The picture at place i; its class is the remainder by ten. */
        int picture(int i);
    }

    private record Sample(int label, byte[] pixels) {}

    private static void write(Path folder, String name, SyntheticSet set, int count, Place place) throws IOException {
        try (DataOutputStream images = gzip(folder.resolve(name + "-images-idx3-ubyte.gz"));
                DataOutputStream labels = gzip(folder.resolve(name + "-labels-idx1-ubyte.gz"))) {
            images.writeInt(0x0803);
            images.writeInt(count);
            images.writeInt(SIDE);
            images.writeInt(SIDE);
            labels.writeInt(0x0801);
            labels.writeInt(count);
            set.each(name, count, i -> sample(set, place.picture(i)), sample -> {
                try {
                    images.write(sample.pixels());
                    labels.writeByte(sample.label());
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            });
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
    }

    private static Sample sample(SyntheticSet set, int picture) {
        int label = picture % CLASSES;
        Image image = set.draw(label, picture / CLASSES, SIDE, SIDE).withChannels(1);
        return new Sample(label, image.pixels());
    }

    private static DataOutputStream gzip(Path file) throws IOException {
        return new DataOutputStream(new GZIPOutputStream(Files.newOutputStream(file), 1 << 16));
    }
}
