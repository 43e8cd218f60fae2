package tenon.io.sets;

import io.jhdf.HdfFile;
import io.jhdf.api.Dataset;
import io.jhdf.api.dataset.ChunkedDataset;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;
import tenon.io.build.BuildException;
import tenon.io.build.BuildItem;
import tenon.io.build.BuildReport;
import tenon.io.build.BuildSettings;
import tenon.io.build.ImageInput;
import tenon.io.build.PixelSize;
import tenon.io.build.ShardedBuild;
import tenon.io.image.Image;
import tenon.io.record.Label;
import tenon.io.record.LabelKind;

/**
 * An HDF5 file of images and labels: a data set {@code images} [N, H, W] (grey) or [N, H, W, C] with C = 1 or 3, whole numbers 0…255 of any numeric type, and
 * a data set {@code labels} [N] of class numbers from 0. Class names come from a data set of strings {@code label_names}, where there is one. Samples
 * keep their order; the key of a sample is its number. The file is read image by image.
 */
public final class Hdf5Builder {
    private static final long MOST_PIXELS = 1L << 27;
    private static final long LARGEST_CHUNK = 1L << 28;
    private static final int MOST_CLASSES = 1_000_000;
    /** Deflate expands at most 1032 times. */
    private static final long MOST_EXPANSION = 1032;

    private static final int LABELS_AT_ONCE = 1 << 16;

    private final Path path;
    private String imagesName = "images";
    private String labelsName = "labels";
    private boolean bgr;
    private String split;
    private List<String> classNames = List.of();

    public Hdf5Builder(Path file) {
        path = file;
        String name = file.getFileName().toString();
        split = name.contains(".") ? name.substring(0, name.lastIndexOf('.')) : name;
    }

    /** Path of the data set of images in the file; default {@code images}. */
    public Hdf5Builder images(String name) {
        imagesName = name;
        return this;
    }

    /** Path of the data set of labels in the file; default {@code labels}. */
    public Hdf5Builder labels(String name) {
        labelsName = name;
        return this;
    }

    /** Whether colour channels are in the order blue, green, red, as OpenCV reads them; default: no. */
    public Hdf5Builder bgr(boolean wanted) {
        bgr = wanted;
        return this;
    }

    /** Default: the file's name without its extension. */
    public Hdf5Builder split(String name) {
        split = name;
        return this;
    }

    /** Names in the order of the labels; default: {@code label_names}, or 0, 1, …. */
    public Hdf5Builder classes(List<String> names) {
        classNames = List.copyOf(names);
        return this;
    }

    /**
     * Builds the split.
     *
     * @throws BuildException when the file is no HDF5 file or holds something else, or as {@link ShardedBuild#run} says
     */
    public BuildReport build(BuildSettings settings) {
        if (!Files.isRegularFile(path)) {
            throw error("there is no such file");
        }
        Hdf5Superblock.checkLength(path);
        try (HdfFile file = reading("the file", () -> new HdfFile(path))) {
            Dataset images = dataset(file, imagesName);
            long[] dims = dims(images, imagesName);
            boolean grey = dims.length == 3;
            if (!grey && dims.length != 4 || !grey && dims[3] != 1 && dims[3] != 3) {
                throw error("'" + imagesName + "' must have the shape [N, H, W] or [N, H, W, C] with C = 1 or 3: shape="
                        + Arrays.toString(dims));
            }
            if (dims[1] > MOST_PIXELS || dims[2] > MOST_PIXELS / dims[1]) {
                throw error("an image must have at most " + MOST_PIXELS + " pixels: shape=" + Arrays.toString(dims));
            }
            int channels = grey ? 1 : (int) dims[3];
            PixelSize size = new PixelSize((int) dims[1], (int) dims[2], channels);
            int[] labels = labels(file, dims[0]);
            List<BuildItem> items = new ArrayList<>();
            for (int i = 0; i < labels.length; i++) {
                int number = i;
                ImageInput image = ImageInput.within(
                        dims[1] * dims[2] * channels,
                        () -> new ImageInput.Pixels(image(images, dims.length, size, number)));
                items.add(new BuildItem(
                        Integer.toString(i), path.getFileName() + "#" + i, image, Label.ofClass(labels[i])));
            }
            return new ShardedBuild("hdf5", settings)
                    .labels(LabelKind.CLASS, 0, names(file, labels))
                    .inputSize(size)
                    .option("file", path.getFileName().toString())
                    .option("images", imagesName)
                    .option("labels", labelsName)
                    .option("channelOrder", bgr ? "bgr" : "rgb")
                    .input(path)
                    .split(split, items)
                    .run();
        }
    }

    /** Damaged files make the reader throw all kinds of exceptions. */
    private <T> T reading(String what, Supplier<T> work) {
        try {
            return work.get();
        } catch (BuildException e) {
            throw e;
        } catch (RuntimeException e) {
            throw new BuildException(
                    "hdf5 file " + path + ": " + what + " cannot be read, it is damaged or of an"
                            + " unsupported kind: " + e,
                    e);
        }
    }

    private BuildException error(String problem) {
        return new BuildException("hdf5 file " + path + ": " + problem);
    }

    private Dataset dataset(HdfFile file, String name) {
        Dataset found = reading("the list of data sets", () -> {
            List<String> names = new ArrayList<>(file.getChildren().keySet());
            if (!name.contains("/") && !names.contains(name)) {
                throw error("there is no data set '" + name + "' in it: found=" + names);
            }
            return file.getDatasetByPath(name);
        });
        reading("'" + name + "'", () -> {
            checkStorage(found, name);
            return null;
        });
        return found;
    }

    /** A header may claim any size; what is read at once must be bounded by what is there. */
    private void checkStorage(Dataset data, String name) {
        long stored = data.getStorageInBytes();
        if (stored <= 0 || stored > fileSize() || data.getSizeInBytes() / MOST_EXPANSION > stored) {
            throw error("'" + name + "' claims more data than the file holds: claimed=" + data.getSizeInBytes()
                    + " bytes, stored=" + stored);
        }
        if (data instanceof ChunkedDataset chunked) {
            long bytes = Math.max(1, data.getDataType().getSize());
            for (int side : chunked.getChunkDimensions()) {
                bytes = side > 0 && bytes <= LARGEST_CHUNK ? bytes * side : Long.MAX_VALUE;
            }
            if (bytes > LARGEST_CHUNK) {
                throw error("'" + name + "' must have chunks of at most " + LARGEST_CHUNK + " bytes: chunk="
                        + Arrays.toString(chunked.getChunkDimensions()));
            }
        }
    }

    private long fileSize() {
        return path.toFile().length();
    }

    private long[] dims(Dataset data, String name) {
        long[] dims = reading("'" + name + "'", data::getDimensionsAsLong);
        for (long dim : dims) {
            if (dim < 1 || dim > Integer.MAX_VALUE) {
                throw error("'" + name + "' must have dimensions of at least 1: shape=" + Arrays.toString(dims));
            }
        }
        return dims;
    }

    private int[] labels(HdfFile file, long count) {
        Dataset data = dataset(file, labelsName);
        long[] dims = dims(data, labelsName);
        if (dims.length != 1 || dims[0] != count) {
            throw error("'" + labelsName + "' must have one number per image: images=" + count + ", shape of '"
                    + labelsName + "'=" + Arrays.toString(dims));
        }
        int[] labels = new int[(int) count];
        for (int from = 0; from < count; from += LABELS_AT_ONCE) {
            int start = from;
            int size = (int) Math.min(LABELS_AT_ONCE, count - from);
            Object slice = reading("'" + labelsName + "'", () -> data.getData(new long[] {start}, new int[] {size}));
            double[] values = new double[size];
            flatten(slice, values, 0);
            for (int i = 0; i < size; i++) {
                if (!(values[i] >= 0 && values[i] < MOST_CLASSES) || values[i] != (int) values[i]) {
                    throw error("label " + (start + i) + " must be a whole number of at least 0: given=" + values[i]);
                }
                labels[start + i] = (int) values[i];
            }
        }
        return labels;
    }

    private List<String> names(HdfFile file, int[] labels) {
        int last = Arrays.stream(labels).max().orElseThrow();
        List<String> names = classNames.isEmpty() ? storedNames(file) : classNames;
        if (names.isEmpty()) {
            names = new ArrayList<>();
            for (int c = 0; c <= last; c++) {
                names.add(Integer.toString(c));
            }
        }
        if (last >= names.size()) {
            throw error("labels must lie in [0, " + names.size() + "), the number of class names: largest=" + last);
        }
        return names;
    }

    private List<String> storedNames(HdfFile file) {
        String name = "label_names";
        return reading("'" + name + "'", () -> {
            if (!file.getChildren().containsKey(name)) {
                return List.of();
            }
            Dataset data = file.getDatasetByPath(name);
            long[] dims = dims(data, name);
            if (dims.length != 1 || dims[0] > MOST_CLASSES || !(data.getData() instanceof String[] names)) {
                throw error("'" + name + "' must be a list of strings: shape=" + Arrays.toString(dims));
            }
            return List.of(names);
        });
    }

    private Image image(Dataset images, int rank, PixelSize size, int number) {
        int[] shape = {1, size.height(), size.width(), size.channels()};
        long[] from = new long[rank];
        from[0] = number;
        Object slice;
        // The reader makes no promise about threads.
        synchronized (this) {
            slice = reading("image " + number, () -> images.getData(from, Arrays.copyOf(shape, rank)));
        }
        double[] values = new double[size.height() * size.width() * size.channels()];
        flatten(slice, values, 0);
        byte[] pixels = new byte[values.length];
        for (int i = 0; i < pixels.length; i++) {
            double value = values[i];
            if (!(value >= 0 && value <= 255) || value != (int) value) {
                throw error("image " + number + ": values must be whole numbers from 0 to 255: value " + i + " is "
                        + value);
            }
            int c = i % size.channels();
            pixels[bgr && size.channels() == 3 ? i - c + 2 - c : i] = (byte) (int) value;
        }
        return new Image(size.width(), size.height(), size.channels(), pixels);
    }

    /** Appends the numbers of nested arrays; returns where the next one goes. */
    private int flatten(Object array, double[] into, int at) {
        int next = at;
        switch (array) {
            case Object[] rows -> {
                for (Object row : rows) {
                    next = flatten(row, into, next);
                }
            }
            case byte[] values -> {
                for (byte value : values) {
                    into[next++] = value;
                }
            }
            case short[] values -> {
                for (short value : values) {
                    into[next++] = value;
                }
            }
            case int[] values -> {
                for (int value : values) {
                    into[next++] = value;
                }
            }
            case long[] values -> {
                for (long value : values) {
                    into[next++] = value;
                }
            }
            case float[] values -> {
                for (float value : values) {
                    into[next++] = value;
                }
            }
            case double[] values -> {
                for (double value : values) {
                    into[next++] = value;
                }
            }
            default ->
                throw error("must hold numbers: found=" + array.getClass().getSimpleName());
        }
        return next;
    }
}
