package tenon.apps.data;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import tenon.apps.cli.Console;
import tenon.io.record.LabelKind;
import tenon.io.record.RecordSchema;
import tenon.io.record.Records;

/** Header, samples per class and sizes of record files, for people and for {@code --json}. */
final class RecordDescription {
    private RecordDescription() {}

    static void write(Records records, Console console, Map<String, Object> result) throws IOException {
        RecordSchema schema = records.schema();
        long bytes = 0;
        for (Path file : records.files()) {
            bytes += Files.size(file);
        }
        Path first = records.files().getFirst();
        int files = records.files().size();
        String label = schema.label().name().toLowerCase(Locale.ROOT);
        result.put("file", first.toString());
        result.put("files", records.files().stream().map(Path::toString).toList());
        result.put("samples", records.sampleCount());
        result.put("bytes", bytes);
        result.put("split", schema.split());
        result.put("encoding", encoding(schema));
        result.put("height", schema.height());
        result.put("width", schema.width());
        result.put("channels", schema.channels());
        result.put("label", label);
        result.put("build", new TreeMap<>(schema.build()));
        console.print(
                "%s: %d samples, %,d bytes",
                files == 1 ? first : first + " and " + (files - 1) + " more files", records.sampleCount(), bytes);
        console.print("split     %s%s", schema.split(), schema.shardCount() == 1 ? "" : shard(records));
        console.print(
                "images    %s, %s",
                encoding(schema),
                schema.height() == 0
                        ? "sizes differ"
                        : schema.height() + "x" + schema.width() + "x" + schema.channels() + " (HxWxC)");
        console.print("labels    %s%s", label, schema.label() == LabelKind.VECTOR ? " of " + schema.labelSize() : "");
        if (!schema.channelMeans().isEmpty()) {
            result.put("means", schema.channelMeans());
            result.put("stds", schema.channelStds());
            console.print("mean      %s", decimals(schema.channelMeans()));
            console.print("std       %s", decimals(schema.channelStds()));
        }
        new TreeMap<>(schema.build()).forEach((name, value) -> console.print("built by  %s = %s", name, value));
        writeClasses(records, console, result);
        SizeHistogram sizes = SizeHistogram.of(records);
        sizes.lines().forEach(console::print);
        result.put("image_bytes", sizes.json());
        Survey survey = Survey.of(records);
        survey.lines(records.sampleCount()).forEach(console::print);
        result.put("surveyed", survey.looked());
        result.put("picture_sizes", survey.sizes());
        if (schema.label() == LabelKind.BOXES) {
            result.put("boxes", survey.boxes());
        }
    }

    private static void writeClasses(Records records, Console console, Map<String, Object> result) {
        List<String> names = records.schema().classNames();
        if (records.schema().label() != LabelKind.CLASS) {
            if (!names.isEmpty()) {
                console.print("classes   %s", String.join(", ", names));
            }
            return;
        }
        int[] counts = new int[names.size()];
        for (int i = 0; i < records.sampleCount(); i++) {
            counts[records.classIndex(i)]++;
        }
        Map<String, Integer> named = new LinkedHashMap<>();
        for (int i = 0; i < counts.length; i++) {
            named.put(names.get(i), counts[i]);
        }
        console.print("classes   %d", counts.length);
        CountLines.of(named).forEach(console::print);
        result.put("classes", named);
    }

    private static String shard(Records records) {
        RecordSchema schema = records.schema();
        return records.files().size() == 1
                ? ", shard " + schema.shard() + " of " + schema.shardCount() + " alone"
                : ", " + records.files().size() + " shards";
    }

    private static String encoding(RecordSchema schema) {
        return switch (schema.encoding()) {
            case ENCODED -> "encoded";
            case RAW_U8 -> "raw-u8";
            case RAW_F32 -> "raw-f32";
        };
    }

    private static String decimals(List<Double> values) {
        return values.stream().map(v -> String.format(Locale.ROOT, "%.3f", v)).collect(Collectors.joining(" "));
    }
}
