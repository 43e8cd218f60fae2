package tenon.io.synth;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.function.Consumer;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import tenon.engine.Rng;
import tenon.io.build.BuildException;
import tenon.io.build.BuildProgress;
import tenon.io.build.OrderedParallel;
import tenon.io.image.Image;
import tenon.io.image.ImageCodec;

/**
 * A drawn data set ({@link Painter}) in the file layout of a real one. What is written depends on the settings and the seed, not on the number of
 * threads.
 */
public final class SyntheticSet {
    /** Whose files are imitated. */
    public enum Layout {
        /** A folder of JPEG files per class. */
        FOLDERS,
        /** JPEG files in one folder, and train.lst and val.lst as MXNet reads them; a tenth for validation. */
        LIST,
        /** ILSVRC's classification task with development kit: grey, CMYK and PNG files under the name .JPEG included. */
        IMAGENET,
        /** Kaggle's dogs vs. cats: train/cat.0.jpg and so on. */
        DOGSVSCATS,
        /** CIFAR-10's binary version: five training batches and a test batch. */
        CIFAR10,
        /** Kaggle's fer2013.csv, a row of 48×48 grey values per picture. */
        FER2013,
        /** MNIST's four gzip files. */
        MNIST;

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }

        /** Classes that the format prescribes; 0 if any number will do. */
        public int fixedClasses() {
            return switch (this) {
                case FOLDERS, LIST, IMAGENET -> 0;
                case DOGSVSCATS -> 2;
                case FER2013 -> 7;
                case CIFAR10, MNIST -> 10;
            };
        }

        /** Height and width that the format prescribes; 0 if any size will do. */
        public int fixedSide() {
            return switch (this) {
                case FOLDERS, LIST, IMAGENET, DOGSVSCATS -> 0;
                case CIFAR10 -> 32;
                case FER2013 -> 48;
                case MNIST -> 28;
            };
        }
    }

    private int classes = 10;
    private int perClass = 200;
    private int validationPerClass = 50;
    private int width = 500;
    private int height = 375;
    private boolean mixedSizes;
    private int quality = 95;
    private long seed = 42;
    private int threads = Runtime.getRuntime().availableProcessors();
    private BuildProgress progress = BuildProgress.NONE;
    private Painter painter;

    /** Default 10; layouts that prescribe a number ignore it. */
    public SyntheticSet classes(int count) {
        classes = within("classes", count, 1, Painter.classCount());
        return this;
    }

    /** Training pictures of each class; default 200. */
    public SyntheticSet perClass(int count) {
        perClass = within("pictures per class", count, 1, 1_000_000);
        return this;
    }

    /** Validation pictures of each class in ImageNet's layout; default 50, as there. */
    public SyntheticSet validationPerClass(int count) {
        validationPerClass = within("validation pictures per class", count, 1, 1_000_000);
        return this;
    }

    /** Default 500×375; layouts that prescribe a size ignore it. */
    public SyntheticSet size(int newWidth, int newHeight) {
        width = within("width", newWidth, 8, 20_000);
        height = within("height", newHeight, 8, 20_000);
        return this;
    }

    /** Whether pictures have the size only on average: sides of half to one and a half of it, a third of the pictures upright. Default: no. */
    public SyntheticSet mixedSizes(boolean wanted) {
        mixedSizes = wanted;
        return this;
    }

    /** Of JPEG, 1 to 100; default 95. */
    public SyntheticSet quality(int value) {
        quality = within("quality", value, 1, 100);
        return this;
    }

    /** Default 42. */
    public SyntheticSet seed(long value) {
        seed = value;
        return this;
    }

    /** Default: all processors. */
    public SyntheticSet threads(int count) {
        threads = within("threads", count, 1, 4096);
        return this;
    }

    public SyntheticSet progress(BuildProgress listener) {
        progress = listener;
        return this;
    }

    private static int within(String what, int value, int least, int most) {
        if (value < least || value > most) {
            throw new BuildException(
                    "synthetic set: " + what + " must lie in [" + least + ", " + most + "]: given=" + value);
        }
        return value;
    }

    /**
     * Writes the files into a new or empty folder, which holds all of them afterwards, or none.
     *
     * @return number of pictures
     * @throws BuildException when the folder is in use or cannot be written
     */
    public long write(Layout layout, Path folder) {
        if (painter == null || painter.seed() != seed) {
            painter = new Painter(seed);
        }
        long[] count = {0};
        try {
            NewFolder.create(folder, into -> count[0] = write(layout, into, this));
        } catch (IOException e) {
            throw new BuildException("synthetic set " + folder + ": cannot be written: " + e, e);
        }
        return count[0];
    }

    private static long write(Layout layout, Path folder, SyntheticSet set) throws IOException {
        return switch (layout) {
            case FOLDERS -> FolderLayout.write(folder, set);
            case LIST -> ListLayout.write(folder, set);
            case IMAGENET -> ImageNetLayout.write(folder, set);
            case DOGSVSCATS -> DogsVsCatsLayout.write(folder, set);
            case CIFAR10 -> Cifar10Layout.write(folder, set);
            case FER2013 -> Fer2013Layout.write(folder, set);
            case MNIST -> MnistLayout.write(folder, set);
        };
    }

    int classes() {
        return classes;
    }

    int perClass() {
        return perClass;
    }

    int validationPerClass() {
        return validationPerClass;
    }

    int quality() {
        return quality;
    }

    /** Picture {@code number} of a class in the set's size. */
    Image draw(int classIndex, int number) {
        if (!mixedSizes) {
            return draw(classIndex, number, width, height);
        }
        Rng rng = new Rng(seed, Rng.stream("synth.size") + classIndex, number);
        int w = Math.max(8, (int) (width * rng.nextUniform(0.5, 1.5)));
        int h = Math.max(8, (int) (height * rng.nextUniform(0.5, 1.5)));
        boolean upright = rng.nextInt(3) == 0;
        return draw(classIndex, number, upright ? h : w, upright ? w : h);
    }

    Image draw(int classIndex, int number, int w, int h) {
        return painter.draw(classIndex, number, w, h);
    }

    byte[] jpeg(int classIndex, int number) {
        return ImageCodec.encodeJpeg(draw(classIndex, number), quality);
    }

    /** 0 … count − 1 in an order that the seed and the purpose decide. */
    int[] shuffled(int count, String purpose) {
        int[] order = IntStream.range(0, count).toArray();
        new Rng(seed, Rng.stream("synth." + purpose), 0).shuffle(order);
        return order;
    }

    /** Makes {@code count} things on all threads and hands them over in order on this one. */
    <T> void each(String what, int count, IntFunction<T> work, Consumer<T> sink) {
        int[] done = {0};
        OrderedParallel.forEach(IntStream.range(0, count).boxed().toList(), threads, work::apply, made -> {
            sink.accept(made);
            done[0]++;
            if (done[0] % 50 == 0 || done[0] == count) {
                progress.update(what, done[0], count);
            }
        });
    }

    /** A file and its bytes. */
    record NamedBytes(Path file, byte[] bytes) {}

    /** Makes and writes files, whose folders must exist, on all threads. */
    void eachFile(String what, int count, IntFunction<NamedBytes> work) throws IOException {
        try {
            each(
                    what,
                    count,
                    i -> {
                        NamedBytes made = work.apply(i);
                        try {
                            return Files.write(made.file(), made.bytes());
                        } catch (IOException e) {
                            throw new UncheckedIOException(e);
                        }
                    },
                    _ -> {});
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
    }
}
