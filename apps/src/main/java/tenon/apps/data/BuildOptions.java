package tenon.apps.data;

import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;
import tenon.apps.cli.BuildBar;
import tenon.apps.cli.Console;
import tenon.apps.cli.ImageSize;
import tenon.apps.cli.Interruption;
import tenon.apps.cli.UsageException;
import tenon.io.build.BuildException;
import tenon.io.build.BuildPart;
import tenon.io.build.BuildReport;
import tenon.io.build.BuildSettings;
import tenon.io.build.ImageStore;
import tenon.io.build.ResizeRule;
import tenon.io.build.StoreEncoding;

/** The options that all {@code tenon build} commands share. */
final class BuildOptions {
    @Option(
            names = {"--output", "--out"},
            paramLabel = "DIR|FILE",
            required = true,
            description = "Folder of the record files, or the name of one file (.trec) for builds of one split.")
    private Path output;

    @Option(
            names = "--size",
            paramLabel = "HxWxC",
            description = "Stretch or squash pictures to this size; stored as pixels unless --encoding says otherwise.")
    private ImageSize size;

    @Option(
            names = "--encoding",
            paramLabel = "HOW",
            description = "keep (JPEG and PNG files as they are), png or raw (pixels). Default: keep, with --size raw.")
    private StoreEncoding encoding;

    @Option(names = "--shards", paramLabel = "N", description = "Files per split. Default: 1.")
    private Integer shards;

    @Option(
            names = "--part",
            paramLabel = "I/N",
            converter = PartConverter.class,
            description = "Build only share I (from 1) of N of the files, so that N machines make them all.")
    private BuildPart part = BuildPart.WHOLE;

    @Option(
            names = "--seed",
            paramLabel = "N",
            defaultValue = "42",
            description = "Decides what is drawn: order and splits. Default: ${DEFAULT-VALUE}.")
    private long seed;

    @Option(
            names = "--threads",
            paramLabel = "N",
            description = "Threads that decode and encode; the files do not depend on it. Default: all processors.")
    private Integer threads;

    @Option(names = "--no-verify", description = "Do not read the files back after writing.")
    private boolean noVerify;

    static final class PartConverter implements ITypeConverter<BuildPart> {
        private static final Pattern FORM = Pattern.compile("(\\d{1,6})/(\\d{1,6})");

        @Override
        public BuildPart convert(String text) {
            Matcher matcher = FORM.matcher(text);
            if (!matcher.matches()) {
                throw new TypeConversionException("'" + text + "' is not I/N, e.g. 1/4");
            }
            int number = Integer.parseInt(matcher.group(1));
            int count = Integer.parseInt(matcher.group(2));
            if (number < 1 || number > count) {
                throw new TypeConversionException("'" + text + "' must lie between 1/N and N/N");
            }
            return new BuildPart(number, count);
        }
    }

    /** Runs a build. Ctrl-C ends it between two images; what is finished stays. */
    Map<String, Object> run(Console console, Function<BuildSettings, BuildReport> builder) {
        AtomicBoolean stop = new AtomicBoolean();
        long start = System.nanoTime();
        try (Interruption interruption =
                new Interruption(console, "stopping after this picture", () -> stop.set(true))) {
            try {
                BuildReport report = builder.apply(settings(console).stopWhen(stop::get));
                return BuildOutcome.print(report, (System.nanoTime() - start) / 1e9, console);
            } catch (BuildException e) {
                if (!interruption.requested()) {
                    throw e;
                }
                // The JVM is ending: this is the last moment to say how to go on.
                console.warn(e.getMessage());
                return Map.of("interrupted", true);
            }
        }
    }

    private BuildSettings settings(Console console) {
        BuildSettings settings = BuildSettings.into(output)
                .store(store())
                .part(part)
                .seed(seed)
                .verify(!noVerify)
                .progress(new BuildBar(console, true));
        if (shards != null) {
            settings.shards(atLeastOne("--shards", shards));
        }
        if (threads != null) {
            settings.threads(atLeastOne("--threads", threads));
        }
        return settings;
    }

    private ImageStore store() {
        if (size != null) {
            return new ImageStore(
                    new ResizeRule.Exact(size.height(), size.width()),
                    encoding != null ? encoding : StoreEncoding.RAW,
                    size.channels());
        }
        return new ImageStore(ResizeRule.NONE, encoding != null ? encoding : StoreEncoding.KEEP, 0);
    }

    private static int atLeastOne(String option, int value) {
        if (value < 1) {
            throw new UsageException(option + " must be at least 1: " + value);
        }
        return value;
    }
}
