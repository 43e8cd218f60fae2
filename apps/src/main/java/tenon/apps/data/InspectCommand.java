package tenon.apps.data;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import tenon.apps.cli.Console;
import tenon.apps.cli.FailedCommand;
import tenon.apps.cli.ProgressBar;
import tenon.apps.cli.TenonCommand;
import tenon.apps.cli.UsageException;
import tenon.apps.pictures.ContactSheet;
import tenon.apps.pictures.Fonts;
import tenon.apps.pictures.PngFile;
import tenon.engine.TenonException;
import tenon.io.image.ImageHeader;
import tenon.io.record.ImageEncoding;
import tenon.io.record.RecordReader;
import tenon.io.record.Records;
import tenon.io.record.Sample;
import tenon.io.record.SampleBuffer;

/** {@code tenon inspect}: what record files hold, and whether they are whole. */
@Command(
        name = "inspect",
        description = {
            "Shows what record files (.trec) hold: header, samples per class, sizes, pictures; checks that they are"
                    + " whole.",
            "Several files, a folder, or any shard of a set are shown as one; samples are numbered through all of them."
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  ./tenon inspect output/quickstart/data/train.trec --sample 7 --verify",
            "  Writes sample 7 to train-7.png and checks every sample's checksum.",
            "  ./tenon inspect data/train-00000-of-00004.trec --montage sheet.png \\",
            "      --montage-count 100 --columns 10",
            "  Draws a hundred pictures from all four shards."
        })
public final class InspectCommand extends TenonCommand {
    private static final int MOST_PICTURES = 2000;
    /** Damaged samples that are written out one by one; a file full of zeros would have millions. */
    private static final int MOST_REPORTED = 1000;

    @Parameters(paramLabel = "FILE", arity = "1..*", description = "Record files, folders of them, or shards.")
    private List<Path> files;

    @Option(names = "--single", description = "Look at FILE alone, though it is one of several shards.")
    private boolean single;

    @Option(
            names = "--sample",
            paramLabel = "I",
            description = "Also show sample I (from 0) and write its picture as PNG, boxes drawn on it.")
    private Integer sample;

    @Option(
            names = "--picture",
            paramLabel = "PNG",
            description = "Where --sample writes its picture (default: NAME-I.png in the current folder).")
    private Path picture;

    @Option(
            names = "--montage",
            paramLabel = "PNG",
            description = "Write a sheet of small pictures, evenly over all samples, with their numbers and labels.")
    private Path montage;

    @Option(
            names = "--montage-count",
            paramLabel = "N",
            defaultValue = "64",
            description = "Pictures on the sheet (default: ${DEFAULT-VALUE}).")
    private int montageCount;

    @Option(
            names = "--columns",
            paramLabel = "N",
            defaultValue = "8",
            description = "Pictures in a row of the sheet (default: ${DEFAULT-VALUE}).")
    private int columns;

    @Option(
            names = "--verify",
            description = "Read every sample, check its checksum, label and picture's header; name every damaged one.")
    private boolean verify;

    @Override
    protected Map<String, ?> run(Console console) throws IOException {
        if (picture != null && sample == null) {
            throw new UsageException("--picture needs --sample");
        }
        if (single && files.size() > 1) {
            throw new UsageException("--single takes one FILE");
        }
        if (montageCount < 1 || montageCount > MOST_PICTURES || columns < 1 || columns > MOST_PICTURES) {
            throw new UsageException("--montage-count and --columns must lie in [1, " + MOST_PICTURES + "]: "
                    + montageCount + ", " + columns);
        }
        Map<String, Object> result = new LinkedHashMap<>();
        try (Records records = single ? RecordReader.open(files.getFirst()) : Records.open(files)) {
            if (records.schema().encoding() == ImageEncoding.RAW_F32 && (sample != null || montage != null)) {
                throw new UsageException(records.files().getFirst()
                        + " holds features, not pictures: --sample and --montage have nothing to draw");
            }
            RecordDescription.write(records, console, result);
            if (sample != null) {
                result.put("picture", writeSample(records, console).toString());
            }
            if (montage != null) {
                writeMontage(records, console);
                result.put("montage", montage.toString());
            }
            if (verify) {
                verify(records, console, result);
            }
        }
        return result;
    }

    private Path writeSample(Records records, Console console) throws IOException {
        if (sample < 0 || sample >= records.sampleCount()) {
            throw new UsageException("--sample must lie in [0, " + records.sampleCount() + "): " + sample);
        }
        Sample read = records.read(sample);
        BufferedImage image = RecordPicture.of(records, sample, read);
        Path target = picture != null ? picture : Path.of(name(records) + "-" + sample + ".png");
        PngFile.write(target, image);
        console.print(
                "sample    %d: %s, key '%s', source '%s'",
                sample, RecordPicture.text(read.label(), records.schema()), read.key(), read.source());
        console.print(
                "          %dx%d, %d bytes, picture written to %s",
                image.getWidth(), image.getHeight(), read.image().length, target);
        return target;
    }

    private static String name(Records records) {
        return records.files().size() == 1
                ? records.files().getFirst().getFileName().toString().replaceFirst("\\.trec$", "")
                : records.schema().split();
    }

    private void writeMontage(Records records, Console console) throws IOException {
        List<ContactSheet.Cell> cells = new ArrayList<>();
        int damaged = 0;
        for (int i : Survey.spread(records.sampleCount(), montageCount)) {
            try {
                Sample read = records.read(i);
                cells.add(ContactSheet.Cell.of(
                        RecordPicture.of(records, i, read),
                        i + " " + RecordPicture.caption(read.label(), records.schema())));
            } catch (TenonException _) {
                damaged++;
                cells.add(ContactSheet.Cell.of(null, i + " damaged"));
            }
        }
        if (!Fonts.available()) {
            console.warn("no font was found: the sheet has no captions (apt-get install fontconfig fonts-dejavu-core)");
        }
        PngFile.write(
                montage,
                ContactSheet.draw(cells, Math.min(columns, Math.max(1, cells.size())), ContactSheet.Scale.EACH));
        console.print(
                "montage   %d pictures%s written to %s",
                cells.size(), damaged == 0 ? "" : ", " + damaged + " of them damaged,", montage);
    }

    private static void verify(Records records, Console console, Map<String, Object> result) {
        ProgressBar bar = new ProgressBar(console, records.sampleCount(), "samples");
        List<Map<String, Object>> damaged = new ArrayList<>();
        int[] count = {0};
        records.verify(
                (number, buffer) -> checkPicture(records, number, buffer),
                (number, error) -> {
                    if (count[0]++ < MOST_REPORTED) {
                        console.warn(error.getMessage());
                        damaged.add(damage(records, number, error.getMessage()));
                    }
                },
                done -> bar.update(done, count[0] == 0 ? "verifying" : count[0] + " damaged"));
        bar.finish(count[0] == 0 ? "all checksums right" : count[0] + " damaged");
        result.put("verified", count[0] == 0);
        result.put("damaged_count", count[0]);
        result.put("damaged", damaged);
        if (count[0] > 0) {
            String more = count[0] > MOST_REPORTED ? " (the first " + MOST_REPORTED + " are named)" : "";
            throw new FailedCommand(
                    count[0] + " of " + records.sampleCount() + " samples damaged" + more + ": build the file again",
                    result);
        }
    }

    /** A sample may be stored as it was given and still hold no whole picture. */
    private static void checkPicture(Records records, int number, SampleBuffer buffer) {
        if (records.schema().encoding() == ImageEncoding.ENCODED) {
            ImageHeader.sniff(buffer.bytes(), buffer.imageBytes(), records.key(number));
        }
    }

    private static Map<String, Object> damage(Records records, int number, String error) {
        Map<String, Object> damage = new LinkedHashMap<>();
        damage.put("sample", number);
        damage.put("file", records.file(number).toString());
        damage.put("number_in_file", records.numberInFile(number));
        damage.put("offset", records.offset(number));
        damage.put("key", records.key(number));
        damage.put("source", records.source(number));
        damage.put("error", error);
        return damage;
    }
}
