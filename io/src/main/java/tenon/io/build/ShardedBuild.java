package tenon.io.build;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import tenon.io.record.ImageEncoding;
import tenon.io.record.Label;
import tenon.io.record.LabelKind;
import tenon.io.record.RecordSchema;
import tenon.io.record.Records;

/**
 * The part that all builders share: ordered lists of samples, one per split, become record files.
 *
 * <p>A builder of a format lists the items; this class reads, resizes and encodes them on several threads and writes them in order, so that the files are
 * the same bytes whatever the number of threads. A file appears under its name only when it is complete, and carries a fingerprint of its options and inputs
 * (paths, sizes, times of change): a build that was interrupted or is repeated keeps the files that are finished, and builds those whose
 * options or inputs have changed. Beside the records, {@code SPLIT.report.json} says what was left out and why.
 *
 * <pre>{@code
 * new ShardedBuild("pairs", BuildSettings.into(folder))
 *         .labels(LabelKind.CLASS, 0, List.of("cats", "dogs"))
 *         .split("train", List.of(BuildItem.ofFile("a", Path.of("a.jpg"), Label.ofClass(0)), …))
 *         .run();
 * }</pre>
 */
public final class ShardedBuild {
    /** Counted up when the same options and inputs lead to other files. */
    private static final int REVISION = 2;

    private static final String EXTENSION = ".trec";

    private final String builder;
    private final BuildSettings settings;
    private final Map<String, List<BuildItem>> splits = new LinkedHashMap<>();
    private final List<BuildReport.Skipped> listed = new ArrayList<>();
    private final TreeMap<String, String> options = new TreeMap<>();
    private final List<Path> containers = new ArrayList<>();
    private LabelKind labelKind;
    private int labelSize;
    private List<String> classNames = List.of();
    private List<Double> channelMeans = List.of();
    private List<Double> channelStds = List.of();
    private PixelSize inputSize;
    private DiskSpace.FreeSpace freeSpace = DiskSpace.SYSTEM;

    /** @param builder name of the format, e.g. {@code image-folder}; stands in the files' headers */
    public ShardedBuild(String builder, BuildSettings settings) {
        this.builder = builder;
        this.settings = settings;
        options.put("builder", builder);
    }

    /**
     * What the labels of all items are.
     *
     * @param size floats per label of kind {@code VECTOR}, else 0
     * @param names of the classes in the order of their indices; may be empty for vectors and no labels
     */
    public ShardedBuild labels(LabelKind kind, int size, List<String> names) {
        labelKind = kind;
        labelSize = size;
        classNames = List.copyOf(names);
        return this;
    }

    /** Statistics for the headers of images stored as files, 0…255, instead of those of the file's own pixels; raw images always get the latter. */
    public ShardedBuild channelStatistics(List<Double> means, List<Double> stds) {
        channelMeans = List.copyOf(means);
        channelStds = List.copyOf(stds);
        return this;
    }

    /** Says that all images of the input have this size, so that they can be stored as pixels without being resized. */
    public ShardedBuild inputSize(PixelSize size) {
        inputSize = size;
        return this;
    }

    /** An option of the builder: it stands in the files' headers, and files that were built with another value are built again. */
    public ShardedBuild option(String name, String value) {
        options.put(name, value);
        return this;
    }

    /** A file that several items come from; when it changes, all files are built again. */
    public ShardedBuild input(Path file) {
        containers.add(file);
        return this;
    }

    /** A split and its samples in the order in which they are stored. The list may make its items when asked for them. */
    public ShardedBuild split(String name, List<BuildItem> items) {
        if (splits.put(name, items) != null) {
            throw new BuildException("build: two splits have the name '" + name + "'");
        }
        return this;
    }

    /** Files that were left out when the items were listed, for the report. */
    public ShardedBuild skipped(List<BuildReport.Skipped> samples) {
        listed.addAll(samples);
        return this;
    }

    /** Replaces the disk, for tests. */
    ShardedBuild freeSpace(DiskSpace.FreeSpace disk) {
        freeSpace = disk;
        return this;
    }

    /**
     * Builds what is not finished yet.
     *
     * @throws BuildException when another build uses the folder, the disk has too little space, no image of a split can be stored, a file does not
     *     read back as it was written, or the build was told to stop
     * @throws tenon.io.record.RecordException when writing fails; files of earlier builds are then unchanged
     */
    public BuildReport run() {
        ImageStore store = settings.store().resolve(inputSize);
        Path folder = folder();
        try (BuildLock _ = BuildLock.acquire(folder, settings.part())) {
            List<Shard> shards = plan(store);
            listed.forEach(settings.progress()::skipped);
            Map<Path, ShardResult> finished = new HashMap<>();
            for (Shard shard : shards) {
                ShardResult found = FinishedShard.find(shard, store, settings);
                if (found != null) {
                    finished.put(shard.file(), found);
                    settings.progress().kept(shard.file());
                    found.skipped().forEach(settings.progress()::skipped);
                }
            }
            List<Shard> wanted = shards.stream()
                    .filter(shard -> !finished.containsKey(shard.file()))
                    .toList();
            DiskSpace.check(wanted, store, folder, freeSpace);
            Map<Path, ShardResult> results;
            try (ShardWriting writing = new ShardWriting(wanted, finished, settings)) {
                OrderedParallel.forEach(
                        writing.items(), settings.threads(), item -> ItemOutcome.of(item, store), writing::accept);
                results = writing.results();
            }
            BuildReport report = report(shards, results, folder.resolve(reportName()));
            ReportFile.write(builder, report);
            warnOfOthers(folder);
            return report;
        }
    }

    private boolean intoFile() {
        return settings.output().getFileName().toString().endsWith(EXTENSION);
    }

    private Path folder() {
        Path output = settings.output().toAbsolutePath();
        return intoFile() ? output.getParent() : output;
    }

    /** File name without shard number and extension. */
    private String stem(String split) {
        String name = settings.output().getFileName().toString();
        return intoFile() ? name.substring(0, name.length() - EXTENSION.length()) : split;
    }

    private String reportName() {
        BuildPart part = settings.part();
        String suffix = part.isWhole() ? "" : ".part-" + part.number() + "-of-" + part.count();
        return stem(splits.keySet().iterator().next()) + suffix + ".report.json";
    }

    /** The files of this build's part, in the order of the splits. */
    private List<Shard> plan(ImageStore store) {
        if (splits.isEmpty() || labelKind == null) {
            throw new IllegalStateException("a build needs labels and at least one split");
        }
        if (intoFile() && splits.size() > 1) {
            throw new BuildException("build: the output must be a folder, since there are several splits: output="
                    + settings.output() + ", splits=" + splits.keySet());
        }
        options.putAll(store.options());
        List<Shard> shards = new ArrayList<>();
        splits.forEach((split, items) -> {
            int count = settings.shards();
            if (items.size() < count) {
                throw new BuildException("build: split '" + split + "' must have at least one image per file: images="
                        + items.size() + ", files=" + count);
            }
            BuildPart part = settings.part();
            for (int i = (int) part.start(count); i < part.end(count); i++) {
                shards.add(shard(split, items, i, count, i + 1 == part.end(count), store));
            }
        });
        return shards;
    }

    private Shard shard(String split, List<BuildItem> all, int number, int count, boolean last, ImageStore store) {
        List<BuildItem> items =
                all.subList((int) ((long) number * all.size() / count), (int) ((number + 1L) * all.size() / count));
        RecordSchema schema = schema(split, number, count, store);
        Fingerprint fingerprint = new Fingerprint();
        fingerprint.add("revision " + REVISION + " " + schema);
        options.forEach((name, value) -> fingerprint.add(name).add(value));
        containers.forEach(file ->
                fingerprint.add(ImageInput.stampOf(file.toAbsolutePath()).text()));
        long inputBytes = 0;
        for (BuildItem item : items) {
            ImageInput.Stamp stamp = item.image().stamp();
            inputBytes += stamp.byteSize();
            fingerprint.add(item.key()).add(item.source()).add(stamp.text()).add(labelText(item.label()));
        }
        String hex = fingerprint.hex();
        TreeMap<String, String> header = new TreeMap<>(options);
        header.put(RecordSchema.FINGERPRINT, hex);
        return new Shard(
                split,
                folder().resolve(Records.fileName(stem(split), number, count)),
                items,
                schema.withBuild(header),
                hex,
                inputBytes,
                last);
    }

    /** Arrays have no text of their own. */
    private static String labelText(Label label) {
        return label instanceof Label.OfVector(float[] values) ? Arrays.toString(values) : label.toString();
    }

    private RecordSchema schema(String split, int number, int count, ImageStore store) {
        boolean raw = store.encoding() == StoreEncoding.RAW;
        PixelSize size = raw ? store.rawSize(inputSize) : new PixelSize(0, 0, 0);
        return new RecordSchema(
                raw ? ImageEncoding.RAW_U8 : ImageEncoding.ENCODED,
                size.height(),
                size.width(),
                size.channels(),
                labelKind,
                labelSize,
                split,
                number,
                count,
                classNames,
                raw ? List.of() : channelMeans,
                raw ? List.of() : channelStds,
                0,
                Map.of());
    }

    /** Whoever opens the folder would find their samples besides those of this build. */
    private void warnOfOthers(Path folder) {
        Set<String> own = new HashSet<>();
        Set<String> stems = new HashSet<>();
        for (String split : splits.keySet()) {
            stems.add(stem(split));
            for (int i = 0; i < settings.shards(); i++) {
                own.add(Records.fileName(stem(split), i, settings.shards()));
            }
        }
        try (Stream<Path> files = Files.list(folder)) {
            files.filter(file -> {
                        String name = file.getFileName().toString();
                        return !own.contains(name)
                                && stems.contains(name.replaceFirst("(-\\d{5}-of-\\d{5})?\\.trec$", ""))
                                && name.endsWith(EXTENSION);
                    })
                    .sorted()
                    .forEach(file -> settings.progress()
                            .warning("the folder also holds a record file of another build: " + file
                                    + " (remove it, or it is" + " read together with the new ones)"));
        } catch (IOException e) {
            throw new BuildException("build: " + folder + " cannot be listed: " + e, e);
        }
    }

    private BuildReport report(List<Shard> shards, Map<Path, ShardResult> results, Path file) {
        List<BuildReport.Part> parts = new ArrayList<>();
        List<BuildReport.Skipped> skipped = new ArrayList<>(listed);
        for (String split : splits.keySet()) {
            List<Path> files = new ArrayList<>();
            long samples = 0;
            int kept = 0;
            for (Shard shard : shards) {
                if (shard.split().equals(split)) {
                    ShardResult result = results.get(shard.file());
                    files.add(shard.file());
                    samples += result.sampleCount();
                    kept += result.kept() ? 1 : 0;
                    skipped.addAll(result.skipped());
                }
            }
            parts.add(new BuildReport.Part(split, List.copyOf(files), samples, kept));
        }
        long built = results.values().stream()
                .filter(result -> !result.kept())
                .mapToLong(ShardResult::sampleCount)
                .sum();
        return new BuildReport(List.copyOf(parts), List.copyOf(skipped), built, file);
    }
}
