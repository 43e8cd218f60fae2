package tenon.io.mxnet;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import tenon.io.build.BuildException;
import tenon.io.build.BuildItem;
import tenon.io.build.BuildReport;
import tenon.io.build.BuildSettings;
import tenon.io.build.ImageInput;
import tenon.io.build.ListFile;
import tenon.io.build.NumberLabels;
import tenon.io.build.ShardedBuild;

/**
 * Turns an MXNet record file of images into Tenon's, in its order or in that of its index. One label per image that is a whole number is a class, anything else a
 * vector. The key of a sample is its key in the index, else the id in its header, or its number in the file where ids are not unique.
 */
public final class MxRecordBuilder {
    private final Path file;
    private Path index;
    private Path list;
    private String split;
    private List<String> classNames = List.of();

    public MxRecordBuilder(Path file) {
        this.file = file;
        split = file.getFileName().toString().replaceFirst("\\.rec$", "");
    }

    /** The index file, which decides which records are taken, in which order, and how they are called; default: all of them. */
    public MxRecordBuilder index(Path idx) {
        index = idx;
        return this;
    }

    /** The list file from which the records were made; it says from which file an image came. */
    public MxRecordBuilder list(Path lst) {
        list = lst;
        return this;
    }

    /** Default: the file's name without its extension. */
    public MxRecordBuilder split(String name) {
        split = name;
        return this;
    }

    /** Names in the order of the labels; default: 0, 1, …. */
    public MxRecordBuilder classes(List<String> names) {
        classNames = List.copyOf(names);
        return this;
    }

    /**
     * Builds the split.
     *
     * @throws BuildException naming file and offset when a record is damaged or no image's, or as {@link ShardedBuild#run} says
     */
    public BuildReport build(BuildSettings settings) {
        try (RecordIoReader records = new RecordIoReader(file)) {
            Map<Long, Integer> keys = index == null ? null : MxIndex.read(index, records);
            int[] order = keys == null
                    ? IntStream.range(0, records.count()).toArray()
                    : keys.values().stream().mapToInt(Integer::intValue).toArray();
            long[] ids = new long[order.length];
            float[][] numbers = new float[order.length][];
            NumberLabels.Survey survey = new NumberLabels.Survey("mxnet record file " + file);
            for (int i = 0; i < order.length; i++) {
                byte[] prefix = prefix(records, order[i]);
                numbers[i] = ImageRecord.labels(prefix, records.length(order[i]), where(records, order[i]));
                ids[i] = ImageRecord.id(prefix);
                survey.add(numbers[i], "record " + order[i]);
            }
            NumberLabels labels = survey.result(classNames);
            String[] names = keys == null
                    ? names(ids)
                    : keys.keySet().stream().map(String::valueOf).toArray(String[]::new);
            Map<String, String> sources = sources();
            List<BuildItem> items = new ArrayList<>();
            for (int i = 0; i < order.length; i++) {
                int record = order[i];
                String own = file.getFileName() + "@" + records.offset(record);
                ImageInput image = ImageInput.within(
                        records.length(record),
                        () -> new ImageInput.Encoded(ImageRecord.parse(records.read(record), where(records, record))
                                .image()));
                items.add(
                        new BuildItem(names[i], sources.getOrDefault(names[i], own), image, labels.label(numbers[i])));
            }
            ShardedBuild build = new ShardedBuild("mxnet-record", settings)
                    .labels(labels.kind(), labels.size(), labels.classNames())
                    .option("file", file.getFileName().toString())
                    .option(
                            "index",
                            index == null ? "none" : index.getFileName().toString())
                    .input(file)
                    .split(split, items);
            if (index != null) {
                build.input(index);
            }
            return build.run();
        }
    }

    /** Header and labels of a record, without its image. */
    private byte[] prefix(RecordIoReader records, int record) {
        try {
            byte[] header = records.read(record, ImageRecord.HEADER_BYTES);
            if (header.length < ImageRecord.HEADER_BYTES || ImageRecord.flag(header) == 0) {
                return header;
            }
            long wanted = ImageRecord.prefixBytes(ImageRecord.flag(header));
            return records.read(record, (int) Math.min(wanted, records.length(record)));
        } catch (IOException e) {
            throw new BuildException(where(records, record) + ": cannot be read: " + e, e);
        }
    }

    private static String where(RecordIoReader records, int record) {
        return "mxnet record file " + records.path() + ": record " + record + " at offset " + records.offset(record);
    }

    private static String[] names(long[] ids) {
        Set<Long> seen = new HashSet<>();
        boolean unique = true;
        for (long id : ids) {
            unique &= seen.add(id);
        }
        String[] names = new String[ids.length];
        for (int i = 0; i < names.length; i++) {
            names[i] = unique ? Long.toUnsignedString(ids[i]) : Integer.toString(i);
        }
        return names;
    }

    private Map<String, String> sources() {
        Map<String, String> sources = new HashMap<>();
        if (list != null) {
            for (ListFile.Entry entry : ListFile.read(list).entries()) {
                sources.put(Long.toString(entry.index()), entry.path());
            }
        }
        return sources;
    }
}
