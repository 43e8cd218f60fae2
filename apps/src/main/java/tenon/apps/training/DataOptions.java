package tenon.apps.training;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import picocli.CommandLine.Option;
import tenon.apps.cli.BuildBar;
import tenon.apps.cli.Console;
import tenon.apps.cli.ImageSize;
import tenon.apps.cli.OptionSection;
import tenon.apps.cli.UsageException;
import tenon.io.build.BuildReport;
import tenon.io.build.BuildSettings;
import tenon.io.build.ImageFolderBuilder;
import tenon.io.data.Normalization;
import tenon.io.record.LabelKind;
import tenon.io.record.RecordSchema;
import tenon.io.record.Records;

/** What a network is trained on, and how pictures become inputs. */
@OptionSection("Data")
final class DataOptions {
    @Option(names = "--data", paramLabel = "PATH", description = "Record file, or folder of class folders.")
    private Path data;

    @Option(
            names = "--synthetic",
            paramLabel = "N",
            arity = "0..1",
            fallbackValue = "1000",
            description = "Instead of --data: N random pictures with random labels, without any files; shows that all"
                    + " works, and how fast. Default: ${FALLBACK-VALUE}.")
    private Integer synthetic;

    @Option(names = "--classes", paramLabel = "N", description = "Of --synthetic. Default: 10.")
    private Integer classes;

    @Option(
            names = "--val",
            paramLabel = "FILE",
            description = "Record file to validate with (default: a share of --data, see --val-share).")
    private Path validation;

    @Option(
            names = "--val-share",
            paramLabel = "SHARE",
            defaultValue = "0.1",
            description =
                    "Share of --data held out without --val: random pictures of a folder, the last ones of a file."
                            + " Default: ${DEFAULT-VALUE}.")
    private double validationShare;

    @Option(
            names = "--size",
            paramLabel = "HxWxC",
            description = "Size that pictures are squashed to (default: as stored, or where sizes differ the network's"
                    + " original size, e.g. 64x64x3 for smallvgg).")
    private ImageSize size;

    @Option(
            names = "--normalize",
            paramLabel = "NAME",
            description = "How values become inputs, one of ${COMPLETION-CANDIDATES}. Default: as in the case study of"
                    + " --augment, unit without one.")
    private Scaling scaling;

    @Option(
            names = "--augment",
            paramLabel = "NAME",
            description = "How pictures are stored, changed at random and looked at, one of ${COMPLETION-CANDIDATES}."
                    + " ./tenon augment says what each does, and shows it. Default: none, or the experiment's.")
    private Augmentation augmentation;

    /** Throws if an option was given that random pictures leave as they are. */
    void refuseWithoutEffect(String option, boolean given) {
        if (synthetic != null && given) {
            throw new UsageException(
                    option + " has no effect on the random pictures of --synthetic: leave it out, or give --data");
        }
    }

    /** What a network will see. */
    record Prepared(DataSpec data, Augmentation augmentation, ImageSize input) {}

    /**
     * Throws unless the options fit each other; cheap, so that it comes before any work.
     *
     * @param step what else would change pictures
     */
    void check(StepSettings step) {
        if ((data == null) == (synthetic == null)) {
            throw new UsageException(
                    data == null
                            ? "say what to train on: --data PATH, or --synthetic"
                            : "--data and --synthetic exclude each other");
        }
        if (!(validationShare > 0 && validationShare < 1)) {
            throw new UsageException("--val-share must lie between 0 and 1: " + validationShare);
        }
        if (synthetic != null && (synthetic < 2 || validation != null)) {
            throw new UsageException(
                    validation != null
                            ? "--val and --synthetic exclude each other"
                            : "--synthetic needs at least 2 pictures: " + synthetic);
        }
        refuseWithoutEffect("--mixup", step.mixup() > 0);
        refuseWithoutEffect("--random-erasing", step.erasing() > 0);
        refuseWithoutEffect("--augment", augmentation != null && augmentation != Augmentation.NONE);
        refuseWithoutEffect("--normalize", scaling != null);
        if (classes != null && (synthetic == null || classes < 2)) {
            throw new UsageException("--classes is for --synthetic, and at least 2: " + classes);
        }
    }

    /**
     * A folder is packed first.
     *
     * @param original the picture where nothing says its size; that of {@code trained}, if there is one
     * @param experiment the augmentation where none is given, or null
     * @param trained whose way of looking at pictures holds where nothing is given, before all others; or null
     * @param output folder of the run
     */
    Prepared prepare(
            ImageSize original, Augmentation experiment, Trained trained, Path output, long seed, Console console)
            throws IOException {
        Augmentation chosen = augmentation != null
                ? augmentation
                : trained != null ? trained.augmentation() : experiment != null ? experiment : Augmentation.NONE;
        if (synthetic != null) {
            return synthetic(original, chosen);
        }
        Path file = data;
        Path held = validation;
        if (Files.isDirectory(data)) {
            BuildReport report = buildRecords(original, chosen, output, seed, console);
            file = report.part("train").file();
            held = validation != null ? validation : report.part("val").file();
        }
        RecordSchema schema = schema(file);
        ImageSize input = input(original, chosen, trained, schema);
        StoredSize.checkRoom(file.toString(), schema, chosen, true, input.height(), input.width());
        Path judging = held != null ? held : file;
        RecordSchema judged = held != null ? schema(held) : schema;
        StoredSize.checkRoom(judging.toString(), judged, chosen, false, input.height(), input.width());
        DataSpec.Part all = DataSpec.Part.whole(file);
        DataSpec.Part train = all;
        DataSpec.Part judgedBy;
        if (held != null) {
            checkSameClasses(schema, judged, held);
            checkSameSize(schema, judged, held, chosen);
            judgedBy = DataSpec.Part.whole(held);
        } else {
            int count = share(all.size());
            train = new DataSpec.Part(all.file(), 0, all.size() - count);
            judgedBy = new DataSpec.Part(all.file(), all.size() - count, all.size());
        }
        DataSpec spec = new DataSpec(
                train,
                judgedBy,
                trained != null && scaling == null
                        ? trained.normalization()
                        : scaling(chosen, schema, console).normalization(schema),
                schema.classNames(),
                StoredSize.of(schema));
        return new Prepared(spec, chosen, input);
    }

    private int share(int count) {
        return Math.clamp(Math.round(count * validationShare), 1, Math.max(1, count - 1));
    }

    private Prepared synthetic(ImageSize original, Augmentation chosen) {
        int held = share(synthetic);
        List<String> names = IntStream.range(0, classes != null ? classes : 10)
                .mapToObj(Integer::toString)
                .toList();
        DataSpec spec = new DataSpec(
                DataSpec.Part.synthetic(synthetic - held), DataSpec.Part.synthetic(held), Normalization.UNIT, names);
        return new Prepared(spec, chosen, size != null ? size : original);
    }

    private Scaling scaling(Augmentation chosen, RecordSchema training, Console console) {
        if (scaling != null) {
            return scaling;
        }
        if (chosen.scaling() == Scaling.MEAN && training.channelMeans().isEmpty()) {
            console.print("The records do not say their channel means: subtracting ImageNet's (--normalize vgg-mean)");
            return Scaling.VGG_MEAN;
        }
        return chosen.scaling();
    }

    private BuildReport buildRecords(ImageSize original, Augmentation chosen, Path output, long seed, Console console)
            throws IOException {
        ImageSize stored = size != null ? size : original;
        ImageFolderBuilder builder = new ImageFolderBuilder(data).stratified(true);
        if (validation == null) {
            builder.split("val", validationShare);
        }
        Path folder = Files.createDirectories(output.resolve("data"));
        BuildReport report = builder.build(BuildSettings.into(folder)
                .seed(seed)
                .store(chosen.fit().imageStore(stored))
                .progress(new BuildBar(console)));
        report.parts().forEach(part -> console.print("%s: %d pictures", part.split(), part.sampleCount()));
        return report;
    }

    private static RecordSchema schema(Path file) {
        try (Records reader = Records.open(file)) {
            if (reader.schema().label() != LabelKind.CLASS) {
                throw new UsageException(file + " must hold class labels: it holds labels of kind "
                        + reader.schema().label());
            }
            return reader.schema();
        }
    }

    private static void checkSameClasses(RecordSchema schema, RecordSchema judged, Path held) {
        if (!judged.classNames().equals(schema.classNames())) {
            throw new UsageException("--val must have the classes of --data: " + judged.classNames() + " in " + held
                    + ", " + schema.classNames() + " in --data");
        }
    }

    /** Of crops, whose view may show another share of the picture, sizes may differ. */
    private void checkSameSize(RecordSchema schema, RecordSchema judged, Path held, Augmentation chosen) {
        StoredSize training = StoredSize.of(schema);
        StoredSize judgedBy = StoredSize.of(judged);
        if (chosen.fit() == Fit.SQUASH && training != null && judgedBy != null && !training.equals(judgedBy)) {
            throw new UsageException("--val must hold pictures of the size of --data's, or those of one would be"
                    + " squashed otherwise than those of the other: " + judgedBy + " in " + held + ", " + training
                    + " in " + data + " (build both alike)");
        }
    }

    private ImageSize input(ImageSize original, Augmentation chosen, Trained trained, RecordSchema schema) {
        if (size != null) {
            return size;
        }
        // Where pictures are stored larger than they go in, their size says nothing.
        return trained == null && schema.height() > 0 && chosen.fit() == Fit.SQUASH
                ? new ImageSize(schema.height(), schema.width(), schema.channels())
                : original;
    }
}
