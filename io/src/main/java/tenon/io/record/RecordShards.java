package tenon.io.record;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.IntConsumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.DoubleStream;
import java.util.stream.Stream;

/** Several record files, checked to belong together, read as one. */
public final class RecordShards implements Records {
    private static final Pattern NAME = Pattern.compile("(.*)-(\\d{5})-of-(\\d{5})\\.trec");

    private final RecordReader[] readers;
    /** Number of the first sample of each file, and behind them the number of all. */
    private final int[] starts;

    private final RecordSchema schema;

    private RecordShards(List<RecordReader> readers) {
        this.readers = readers.toArray(RecordReader[]::new);
        starts = new int[readers.size() + 1];
        for (int i = 0; i < readers.size(); i++) {
            long end = (long) starts[i] + readers.get(i).sampleCount();
            require(end <= Integer.MAX_VALUE, readers.get(i).path(), "the files together hold 2^31 samples or more");
            starts[i + 1] = (int) end;
        }
        schema = combined();
    }

    static String fileName(String split, int shard, int shardCount) {
        return shardCount == 1
                ? split + ".trec"
                : String.format(Locale.ROOT, "%s-%05d-of-%05d.trec", split, shard, shardCount);
    }

    static Records openSet(List<Path> paths) {
        if (paths.isEmpty()) {
            throw new RecordException("record files: none was named");
        }
        LinkedHashMap<Path, RecordReader> readers = new LinkedHashMap<>();
        try {
            for (Path path : paths) {
                for (Path file : Files.isDirectory(path) ? filesIn(path) : List.of(path)) {
                    addWithSiblings(file, readers);
                }
            }
            List<RecordReader> all = List.copyOf(readers.values());
            if (all.size() == 1) {
                return all.getFirst();
            }
            all.forEach(reader -> checkBelongs(all.getFirst(), reader));
            return new RecordShards(all);
        } catch (RuntimeException e) {
            readers.values().forEach(RecordReader::close);
            throw e;
        }
    }

    private static List<Path> filesIn(Path folder) {
        try (Stream<Path> files = Files.list(folder)) {
            List<Path> found = files.filter(file -> {
                        String name = file.getFileName().toString();
                        return name.endsWith(".trec") && !name.startsWith(".");
                    })
                    .sorted()
                    .toList();
            require(!found.isEmpty(), folder, "the folder holds no .trec file");
            return found;
        } catch (IOException e) {
            throw new RecordException("record folder " + folder + ": cannot be listed: " + e, e);
        }
    }

    /** Opens a file and, where it is a shard, the others of its set, in the order of their numbers. */
    private static void addWithSiblings(Path file, LinkedHashMap<Path, RecordReader> readers) {
        if (readers.containsKey(identity(file))) {
            return;
        }
        RecordReader first = RecordReader.open(file);
        readers.put(identity(file), first);
        RecordSchema schema = first.schema();
        if (schema.shardCount() == 1) {
            return;
        }
        Matcher name = NAME.matcher(file.getFileName().toString());
        String own = "shard " + schema.shard() + " of " + schema.shardCount();
        require(
                name.matches()
                        && Integer.parseInt(name.group(2)) == schema.shard()
                        && Integer.parseInt(name.group(3)) == schema.shardCount(),
                file,
                "it is " + own + " and must be called NAME" + fileName("", schema.shard(), schema.shardCount())
                        + " so that the others can be found (was it renamed?)");
        List<Path> missing = new ArrayList<>();
        for (int shard = 0; shard < schema.shardCount(); shard++) {
            Path sibling = shard == schema.shard()
                    ? file
                    : file.resolveSibling(fileName(name.group(1), shard, schema.shardCount()));
            if (!Files.exists(sibling)) {
                missing.add(sibling.getFileName());
                continue;
            }
            RecordReader reader = shard == schema.shard() ? first : RecordReader.open(sibling);
            readers.putLast(identity(sibling), reader);
            checkSameSet(first, reader, shard);
        }
        require(
                missing.isEmpty(),
                file,
                "it is " + own + ", and of the set are missing: " + missing
                        + " (build them, or bring them into the same folder)");
    }

    private static Path identity(Path file) {
        try {
            return file.toRealPath();
        } catch (IOException _) {
            return file.toAbsolutePath().normalize();
        }
    }

    private static void checkSameSet(RecordReader first, RecordReader other, int shard) {
        RecordSchema a = first.schema();
        RecordSchema b = other.schema();
        require(
                b.shard() == shard && b.shardCount() == a.shardCount(),
                other.path(),
                "its header says shard " + b.shard() + " of " + b.shardCount() + " (was it renamed?)");
        checkEqual("build options", comparable(a.build()), comparable(b.build()), first, other);
    }

    private static Map<String, String> comparable(Map<String, String> options) {
        Map<String, String> copy = new TreeMap<>(options);
        copy.remove(RecordSchema.FINGERPRINT);
        return copy;
    }

    private static void checkBelongs(RecordReader first, RecordReader other) {
        RecordSchema a = first.schema();
        RecordSchema b = other.schema();
        checkEqual("split", a.split(), b.split(), first, other);
        checkEqual("encoding", a.encoding(), b.encoding(), first, other);
        checkEqual("height", a.height(), b.height(), first, other);
        checkEqual("width", a.width(), b.width(), first, other);
        checkEqual("channels", a.channels(), b.channels(), first, other);
        checkEqual("label", a.label(), b.label(), first, other);
        checkEqual("labelSize", a.labelSize(), b.labelSize(), first, other);
        checkEqual("class names", a.classNames(), b.classNames(), first, other);
    }

    private static void checkEqual(String what, Object a, Object b, RecordReader first, RecordReader other) {
        require(
                Objects.equals(a, b),
                other.path(),
                "it does not belong with " + first.path() + ": " + what + " " + b + " against " + a
                        + " (name the files of one set only)");
    }

    private static void require(boolean holds, Path path, String what) {
        if (!holds) {
            throw new RecordException("record file " + path + ": " + what);
        }
    }

    /** The first file's schema with the statistics of all: each weighted by its pixels, or by its samples where the pixels are not known of all. */
    private RecordSchema combined() {
        RecordSchema first = readers[0].schema();
        List<RecordReader> filled =
                Stream.of(readers).filter(reader -> reader.sampleCount() > 0).toList();
        Set<Integer> channelCounts = new TreeSet<>();
        filled.forEach(
                reader -> channelCounts.add(reader.schema().channelMeans().size()));
        // Files of grey pictures beside files with coloured ones: grey is equal R, G and B.
        if (!channelCounts.equals(Set.of(1, 3)) && channelCounts.size() != 1) {
            return first.withChannelStatistics(List.of(), List.of(), 0);
        }
        int channels = Collections.max(channelCounts);
        boolean known = filled.stream().allMatch(reader -> reader.schema().pixelCount() > 0);
        double[] weights = filled.stream()
                .mapToDouble(reader -> known ? reader.schema().pixelCount() : reader.sampleCount())
                .toArray();
        List<Double> means = new ArrayList<>();
        List<Double> stds = new ArrayList<>();
        for (int c = 0; c < channels; c++) {
            double[] mean = new double[weights.length];
            double[] square = new double[weights.length];
            for (int i = 0; i < weights.length; i++) {
                RecordSchema schema = filled.get(i).schema();
                int channel = schema.channelMeans().size() == 1 ? 0 : c;
                mean[i] = schema.channelMeans().get(channel);
                square[i] = Math.pow(schema.channelStds().get(channel), 2);
            }
            double all = average(mean, weights);
            for (int i = 0; i < weights.length; i++) {
                square[i] += (mean[i] - all) * (mean[i] - all);
            }
            means.add(all);
            stds.add(Math.sqrt(average(square, weights)));
        }
        return first.withChannelStatistics(
                means, stds, known ? (long) DoubleStream.of(weights).sum() : 0);
    }

    private static double average(double[] values, double[] weights) {
        double sum = 0;
        double weight = 0;
        for (int i = 0; i < values.length; i++) {
            sum += values[i] * weights[i];
            weight += weights[i];
        }
        return sum / weight;
    }

    private int fileOf(int sample) {
        if (sample < 0 || sample >= sampleCount()) {
            throw new IndexOutOfBoundsException("record files " + readers[0].path() + " …: sample must lie in [0, "
                    + sampleCount() + "): sample=" + sample);
        }
        int at = Arrays.binarySearch(starts, sample);
        if (at < 0) {
            return -at - 2;
        }
        // Empty files begin where the next one does.
        while (starts[at + 1] == sample) {
            at++;
        }
        return at;
    }

    @Override
    public List<Path> files() {
        return Stream.of(readers).map(RecordReader::path).toList();
    }

    @Override
    public RecordSchema schema() {
        return schema;
    }

    @Override
    public int sampleCount() {
        return starts[readers.length];
    }

    @Override
    public int classIndex(int sample) {
        int file = fileOf(sample);
        return readers[file].classIndex(sample - starts[file]);
    }

    @Override
    public int imageBytes(int sample) {
        int file = fileOf(sample);
        return readers[file].imageBytes(sample - starts[file]);
    }

    @Override
    public String key(int sample) {
        int file = fileOf(sample);
        return readers[file].key(sample - starts[file]);
    }

    @Override
    public String source(int sample) {
        int file = fileOf(sample);
        return readers[file].source(sample - starts[file]);
    }

    @Override
    public Path file(int sample) {
        return readers[fileOf(sample)].path();
    }

    @Override
    public int numberInFile(int sample) {
        return sample - starts[fileOf(sample)];
    }

    @Override
    public long offset(int sample) {
        int file = fileOf(sample);
        return readers[file].offset(sample - starts[file]);
    }

    @Override
    public String describe(int sample) {
        int file = fileOf(sample);
        return readers[file].describe(sample - starts[file]);
    }

    @Override
    public void read(int sample, SampleBuffer into) {
        int file = fileOf(sample);
        readers[file].read(sample - starts[file], into);
    }

    @Override
    public Label label(int sample, SampleBuffer buffer) {
        int file = fileOf(sample);
        return readers[file].label(sample - starts[file], buffer);
    }

    @Override
    public void verify(SampleCheck further, DamageListener damage, IntConsumer progress) {
        for (int file = 0; file < readers.length; file++) {
            int start = starts[file];
            readers[file].verify(
                    (sample, buffer) -> further.check(start + sample, buffer),
                    (sample, error) -> damage.damaged(start + sample, error),
                    done -> progress.accept(start + done));
        }
    }

    @Override
    public void close() {
        for (RecordReader reader : readers) {
            reader.close();
        }
    }
}
