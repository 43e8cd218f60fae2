package tenon.apps.data;

import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
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
import tenon.io.image.Filter;
import tenon.io.image.Image;

/** The options that all {@code tenon build} commands share. */
final class BuildOptions {
    @Option(
            names = {"--output", "--out"},
            paramLabel = "DIR|FILE",
            required = true,
            description = "Folder of the record files, or the name of one file (.trec) for builds of one split.")
    private Path output;

    @Option(
            names = "--resize",
            paramLabel = "SIDE",
            description = "Scale pictures so that the shorter side has this length, as im2rec's resize does; with"
                    + " --encoding raw the middle square of SIDExSIDE is kept.")
    private Integer shortSide;

    @Option(names = "--no-enlarge", description = "With --resize: leave smaller pictures as they are.")
    private boolean noEnlarge;

    @Option(
            names = "--crop",
            paramLabel = "HxW",
            description = "Scale pictures until they just cover this size and cut off both ends of the longer side.")
    private ImageSize crop;

    @Option(names = "--size", paramLabel = "HxWxC", description = "Stretch or squash pictures to exactly this size.")
    private ImageSize size;

    @Option(
            names = "--filter",
            paramLabel = "HOW",
            description = "How pictures are resized: nearest, bilinear, bicubic, area or lanczos. Default: area; with"
                    + " --size bilinear, as ./tenon predict does.")
    private Filter filter;

    @Option(
            names = "--encoding",
            paramLabel = "HOW",
            description = "How pictures are stored: keep (files that need no change as they are, others in their own"
                    + " format), jpeg, png or raw (pixels). Default: keep; with --size or --crop raw.")
    private StoreEncoding encoding;

    @Option(
            names = "--quality",
            paramLabel = "1-100",
            description = "Of JPEG pictures that are written. Default: " + ImageStore.DEFAULT_QUALITY + ".")
    private Integer quality;

    @Option(
            names = "--channels",
            paramLabel = "N",
            description = "1 stores grey, 3 colour, 4 colour and opacity. Default: as in the file; with raw 3.")
    private Integer channels;

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

    /** Where the records go. */
    Path output() {
        return output;
    }

    /** Decides what is drawn. */
    long seed() {
        return seed;
    }

    /** Decides what the command line leaves open. */
    void defaults(int side, Filter resizing, StoreEncoding stored, int jpegQuality) {
        if (crop == null && size == null) {
            shortSide = shortSide == null ? Integer.valueOf(side) : shortSide;
            encoding = encoding == null ? stored : encoding;
        }
        filter = filter == null ? resizing : filter;
        quality = quality == null ? Integer.valueOf(jpegQuality) : quality;
    }

    /** Decides that pictures are cut to a size where the command line says nothing else. */
    void defaultCrop(ImageSize wanted, Filter resizing) {
        if (shortSide == null && size == null && crop == null) {
            crop = wanted;
            filter = filter == null ? resizing : filter;
        }
    }

    /** Decides that pictures are squashed to a size where the command line says nothing else. */
    void defaultSize(ImageSize wanted, Filter resizing) {
        if (shortSide == null && size == null && crop == null) {
            size = wanted;
            filter = filter == null ? resizing : filter;
        }
    }

    /** Runs a build. Ctrl-C ends it between two images; what is finished stays. */
    Map<String, Object> run(Console console, Function<BuildSettings, BuildReport> builder) {
        long start = System.nanoTime();
        return runSteps(
                console,
                settings -> BuildOutcome.print(builder.apply(settings), (System.nanoTime() - start) / 1e9, console));
    }

    /** The same for a build that gives its result itself. */
    Map<String, Object> runSteps(Console console, Function<BuildSettings, Map<String, Object>> builder) {
        AtomicBoolean stop = new AtomicBoolean();
        try (Interruption interruption =
                new Interruption(console, "stopping after this picture", () -> stop.set(true))) {
            try {
                return builder.apply(settings(console).stopWhen(stop::get));
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
        if (Stream.of(shortSide, crop, size).filter(Objects::nonNull).count() > 1) {
            throw new UsageException("only one of --resize, --crop and --size can be given");
        }
        if (noEnlarge && shortSide == null) {
            throw new UsageException("--no-enlarge needs --resize");
        }
        if (quality != null && (quality < 1 || quality > 100)) {
            throw new UsageException("--quality must lie in [1, 100]: " + quality);
        }
        int stored = size != null ? size.channels() : channels == null ? 0 : channels;
        if (channels != null && !Image.isChannelCount(channels) || size != null && channels != null) {
            throw new UsageException(
                    size != null
                            ? "--size says the channels, without --channels"
                            : "--channels must be 1, 3 or 4: " + channels);
        }
        boolean raw = size != null || crop != null;
        StoreEncoding how = encoding != null ? encoding : raw ? StoreEncoding.RAW : StoreEncoding.KEEP;
        if (stored == 4 && how != StoreEncoding.RAW && how != StoreEncoding.PNG) {
            throw new UsageException("--channels 4 needs --encoding png or raw: JPEG has no opacity");
        }
        return new ImageStore(
                rule(),
                filter != null ? filter : size != null ? Filter.BILINEAR : Filter.AREA,
                how,
                quality != null ? quality : ImageStore.DEFAULT_QUALITY,
                stored);
    }

    private ResizeRule rule() {
        if (shortSide != null) {
            return new ResizeRule.ShortSide(atLeastOne("--resize", shortSide), !noEnlarge);
        }
        if (crop != null) {
            return new ResizeRule.AspectCrop(crop.height(), crop.width());
        }
        return size == null ? ResizeRule.NONE : new ResizeRule.Exact(size.height(), size.width());
    }

    private static int atLeastOne(String option, int value) {
        if (value < 1) {
            throw new UsageException(option + " must be at least 1: " + value);
        }
        return value;
    }
}
