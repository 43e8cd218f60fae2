package tenon.apps.data;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import tenon.apps.cli.Console;
import tenon.apps.cli.ProgressBar;
import tenon.apps.cli.TenonCommand;
import tenon.apps.cli.UsageException;
import tenon.apps.pictures.PngFile;
import tenon.io.image.Image;
import tenon.io.image.ImageCodec;
import tenon.io.record.ImageEncoding;
import tenon.io.record.Label;
import tenon.io.record.LabelKind;
import tenon.io.record.RecordReader;
import tenon.io.record.RecordSchema;
import tenon.io.record.Sample;
import tenon.io.record.SampleBuffer;

/** {@code tenon inspect}: what a record file holds, and whether it is whole. */
@Command(
        name = "inspect",
        description = "Shows what a record file (.trec) holds: header, samples per class, single samples.",
        footerHeading = "%nExample:%n",
        footer = {
            "  ./tenon inspect output/quickstart/data/train.trec --sample 7 --verify",
            "  Writes sample 7 to train-7.png and checks every sample's checksum."
        })
public final class InspectCommand extends TenonCommand {
    @Parameters(paramLabel = "FILE", description = "The record file.")
    private Path file;

    @Option(
            names = "--sample",
            paramLabel = "I",
            description = "Also show sample I (from 0) and write its picture as PNG.")
    private Integer sample;

    @Option(
            names = "--picture",
            paramLabel = "PNG",
            description = "Where --sample writes its picture (default: NAME-I.png in the current folder).")
    private Path picture;

    @Option(names = "--verify", description = "Read every sample and check its checksum.")
    private boolean verify;

    @Override
    protected Map<String, ?> run(Console console) throws IOException {
        if (picture != null && sample == null) {
            throw new UsageException("--picture needs --sample");
        }
        Map<String, Object> result = new LinkedHashMap<>();
        try (RecordReader reader = RecordReader.open(file)) {
            describe(reader, console, result);
            if (sample != null) {
                result.put("picture", writeSample(reader, console).toString());
            }
            if (verify) {
                verify(reader, console);
                result.put("verified", true);
            }
        }
        return result;
    }

    private void describe(RecordReader reader, Console console, Map<String, Object> result) throws IOException {
        RecordSchema schema = reader.schema();
        result.put("file", file.toString());
        result.put("samples", reader.sampleCount());
        result.put("bytes", Files.size(file));
        result.put("split", schema.split());
        result.put("encoding", encodingName(schema));
        result.put("label", schema.label().name().toLowerCase(Locale.ROOT));
        console.print("%s: %d samples, %,d bytes", file, reader.sampleCount(), Files.size(file));
        console.print("split     %s", schema.split());
        console.print(
                "images    %s%s",
                encodingName(schema),
                schema.height() == 0
                        ? ", sizes differ"
                        : String.format(
                                Locale.ROOT, ", %dx%dx%d (HxWxC)", schema.height(), schema.width(), schema.channels()));
        console.print(
                "labels    %s",
                schema.label().name().toLowerCase(Locale.ROOT)
                        + (schema.label() == LabelKind.VECTOR ? " of " + schema.labelSize() : ""));
        if (!schema.channelMeans().isEmpty()) {
            console.print("mean      %s", decimals(schema.channelMeans()));
            console.print("std       %s", decimals(schema.channelStds()));
        }
        new TreeMap<>(schema.build()).forEach((name, value) -> console.print("built by  %s = %s", name, value));
        if (schema.label() == LabelKind.CLASS) {
            Map<String, Integer> counts = countClasses(reader);
            int width = counts.keySet().stream().mapToInt(String::length).max().orElse(1);
            console.print("classes   %d", counts.size());
            counts.forEach((name, count) -> console.print("  %-" + width + "s  %d", name, count));
            result.put("classes", counts);
        } else if (!schema.classNames().isEmpty()) {
            console.print("classes   %s", String.join(", ", schema.classNames()));
        }
    }

    private static Map<String, Integer> countClasses(RecordReader reader) {
        List<String> names = reader.schema().classNames();
        int[] counts = new int[names.size()];
        for (int i = 0; i < reader.sampleCount(); i++) {
            counts[reader.classIndex(i)]++;
        }
        Map<String, Integer> named = new LinkedHashMap<>();
        for (int i = 0; i < counts.length; i++) {
            named.put(names.get(i), counts[i]);
        }
        return named;
    }

    private Path writeSample(RecordReader reader, Console console) throws IOException {
        if (sample < 0 || sample >= reader.sampleCount()) {
            throw new UsageException("--sample must lie in [0, " + reader.sampleCount() + "): " + sample);
        }
        RecordSchema schema = reader.schema();
        Sample read = reader.read(sample);
        Image image = schema.encoding() == ImageEncoding.RAW_U8
                ? new Image(schema.width(), schema.height(), schema.channels(), read.image())
                : ImageCodec.decode(read.image(), reader.describe(sample));
        String name = file.getFileName().toString().replaceFirst("\\.trec$", "");
        Path target = picture != null ? picture : Path.of(name + "-" + sample + ".png");
        PngFile.write(target, ImageCodec.toBufferedImage(image));
        console.print(
                "sample    %d: %s, key '%s', source '%s'",
                sample, text(read.label(), schema), read.key(), read.source());
        console.print(
                "          %dx%d, %d bytes, picture written to %s",
                image.width(), image.height(), read.image().length, target);
        return target;
    }

    private static String text(Label label, RecordSchema schema) {
        return switch (label) {
            case Label.None _ -> "no label";
            case Label.OfClass of ->
                "class " + of.index() + " (" + schema.classNames().get(of.index()) + ")";
            case Label.OfVector of -> "vector " + Arrays.toString(of.values());
            case Label.OfBoxes of -> of.boxes().size() + " boxes " + of.boxes();
        };
    }

    private static void verify(RecordReader reader, Console console) {
        ProgressBar bar = new ProgressBar(console, reader.sampleCount(), "samples");
        SampleBuffer buffer = new SampleBuffer();
        for (int i = 0; i < reader.sampleCount(); i++) {
            reader.read(i, buffer);
            bar.update(i + 1, "verifying");
        }
        bar.finish("all checksums right");
    }

    private static String encodingName(RecordSchema schema) {
        return schema.encoding() == ImageEncoding.RAW_U8 ? "raw-u8" : "encoded";
    }

    private static String decimals(List<Double> values) {
        return values.stream().map(v -> String.format(Locale.ROOT, "%.3f", v)).collect(Collectors.joining(" "));
    }
}
