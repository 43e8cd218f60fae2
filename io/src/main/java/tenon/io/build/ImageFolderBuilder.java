package tenon.io.build;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import tenon.engine.Rng;
import tenon.io.image.Image;
import tenon.io.image.ImageCodec;
import tenon.io.image.ImageException;
import tenon.io.image.Resize;
import tenon.io.record.Label;
import tenon.io.record.RecordSchema;
import tenon.io.record.RecordWriter;

/**
 * Turns a folder with one folder of images per class into record files, one per split.
 *
 * <p>All .jpg, .jpeg, .png, .bmp, .tif and .tiff files below the folder are listed; the class of each is its parent folder's name, class indices follow
 * the sorted names. The list is sorted, shuffled by the seed, and cut into splits. Files that cannot be decoded are left out and reported; the cut
 * is made before, so a split may then hold fewer images than its share. The result does not depend on the number of threads.
 */
public final class ImageFolderBuilder {
    private final Path folder;
    private final Map<String, Double> shares = new LinkedHashMap<>();
    private String rest = "train";
    private boolean stratified;
    private long seed = 42;
    private int height;
    private int width;
    private int channels;
    private List<String> expectedClasses = List.of();
    private int threads = Runtime.getRuntime().availableProcessors();
    private BuildProgress progress = BuildProgress.NONE;

    public ImageFolderBuilder(Path folder) {
        this.folder = folder;
    }

    /** Of the shuffle; default 42. */
    public ImageFolderBuilder seed(long value) {
        seed = value;
        return this;
    }

    /** Name of the split that gets what the others leave; default {@code train}. */
    public ImageFolderBuilder rest(String name) {
        rest = name;
        return this;
    }

    /** A further split of round(share·n) images, taken from the end of the shuffled list. */
    public ImageFolderBuilder split(String name, double share) {
        shares.put(name, share);
        return this;
    }

    /** Whether every split takes its share of each class; default: of the whole list. */
    public ImageFolderBuilder stratified(boolean wanted) {
        stratified = wanted;
        return this;
    }

    /** Stores bytes of one size: images are stretched or squashed by bilinear interpolation. {@code channels} is 3, or 1 for grey. */
    public ImageFolderBuilder storeRaw(int newHeight, int newWidth, int newChannels) {
        height = newHeight;
        width = newWidth;
        channels = newChannels;
        return this;
    }

    /** Stores JPEG and PNG files as they are, and the other formats as PNG. This is the default. */
    public ImageFolderBuilder storeEncoded() {
        return storeRaw(0, 0, 0);
    }

    /** Class names that must be the folder's; default: whatever is found. */
    public ImageFolderBuilder classes(List<String> names) {
        expectedClasses = names.stream().sorted().toList();
        return this;
    }

    /** Default: all processors. */
    public ImageFolderBuilder threads(int count) {
        threads = Math.max(1, count);
        return this;
    }

    public ImageFolderBuilder progress(BuildProgress listener) {
        progress = listener;
        return this;
    }

    /**
     * Writes {@code split.trec} for every split.
     *
     * @throws BuildException when folders or images are missing, or a class has no image that can be decoded
     * @throws tenon.io.record.RecordException when writing fails
     */
    public BuildReport build(Path outputFolder) {
        ImageList list = ImageList.of(folder);
        List<String> classNames = list.classNames();
        if (!expectedClasses.isEmpty() && !expectedClasses.equals(classNames)) {
            throw new BuildException(
                    "image folder " + folder + ": class folders must be " + expectedClasses + ": found=" + classNames);
        }
        List<BuildReport.Skipped> skipped = new ArrayList<>(list.skipped());
        skipped.forEach(progress::skipped);
        List<ImageList.Entry> entries = shuffled(list.entries());
        int[] classes = entries.stream()
                .mapToInt(entry -> classNames.indexOf(entry.className()))
                .toArray();
        Splits splits = new Splits(rest, shares, stratified);
        int[] splitOf = splits.assign(classes, classNames.size());
        List<RecordWriter> writers = new ArrayList<>();
        try {
            List<BuildReport.Part> parts = new ArrayList<>();
            for (String name : splits.names()) {
                writers.add(RecordWriter.create(outputFolder.resolve(name + ".trec"), schema(name, classNames)));
            }
            boolean[] classSeen = new boolean[classNames.size()];
            int[] done = {0};
            Function<ImageList.Entry, Prepared> prepare = this::prepare;
            OrderedParallel.forEach(entries, threads, prepare, prepared -> {
                int i = done[0]++;
                ImageList.Entry entry = entries.get(i);
                if (prepared.reason() == null) {
                    classSeen[classes[i]] = true;
                    writers.get(splitOf[i])
                            .add(
                                    prepared.image(),
                                    Label.ofClass(classes[i]),
                                    entry.key(),
                                    entry.file().toString());
                } else {
                    BuildReport.Skipped file = new BuildReport.Skipped(entry.file(), prepared.reason());
                    skipped.add(file);
                    progress.skipped(file);
                }
                if (done[0] % 100 == 0 || done[0] == entries.size()) {
                    progress.update(folder.getFileName().toString(), done[0], entries.size());
                }
            });
            for (int c = 0; c < classSeen.length; c++) {
                if (!classSeen[c]) {
                    throw new BuildException("image folder " + folder + ": no image of class '" + classNames.get(c)
                            + "' can be decoded; the first: " + firstReason(skipped, classNames.get(c)));
                }
            }
            for (int s = 0; s < writers.size(); s++) {
                String name = splits.names().get(s);
                writers.get(s).commit();
                parts.add(new BuildReport.Part(
                        name,
                        outputFolder.resolve(name + ".trec"),
                        writers.get(s).sampleCount()));
            }
            return new BuildReport(List.copyOf(parts), List.copyOf(skipped));
        } finally {
            writers.forEach(RecordWriter::close);
        }
    }

    private static String firstReason(List<BuildReport.Skipped> skipped, String className) {
        return skipped.stream()
                .filter(file -> file.file().getParent().endsWith(className))
                .findFirst()
                .map(BuildReport.Skipped::reason)
                .orElse("unknown");
    }

    private List<ImageList.Entry> shuffled(List<ImageList.Entry> sorted) {
        int[] order = new int[sorted.size()];
        for (int i = 0; i < order.length; i++) {
            order[i] = i;
        }
        new Rng(seed, Rng.stream("build.shuffle"), 0).shuffle(order);
        List<ImageList.Entry> out = new ArrayList<>();
        for (int i : order) {
            out.add(sorted.get(i));
        }
        return out;
    }

    /** What to store of a file, or why it is left out. */
    private record Prepared(byte[] image, String reason) {}

    private Prepared prepare(ImageList.Entry entry) {
        try {
            byte[] bytes = Files.readAllBytes(entry.file());
            Image image = ImageCodec.decode(bytes, entry.file().toString());
            if (height > 0) {
                return new Prepared(
                        Resize.bilinear(image.withChannels(channels), width, height)
                                .pixels(),
                        null);
            }
            return new Prepared(ImageCodec.isJpegOrPng(bytes) ? bytes : ImageCodec.encodePng(image), null);
        } catch (IOException e) {
            return new Prepared(null, "cannot be read: " + e);
        } catch (ImageException e) {
            return new Prepared(null, e.getMessage());
        }
    }

    private RecordSchema schema(String split, List<String> classNames) {
        Map<String, String> options = new TreeMap<>();
        options.put("builder", "image-folder");
        options.put("folder", folder.toAbsolutePath().normalize().getFileName().toString());
        options.put("seed", Long.toString(seed));
        options.put("shares", shares.toString());
        options.put("stratified", Boolean.toString(stratified));
        options.put("decoder", ImageCodec.name());
        RecordSchema schema = height > 0
                ? RecordSchema.rawClasses(split, height, width, channels, classNames)
                : RecordSchema.encodedClasses(split, classNames);
        return schema.withBuild(options);
    }
}
