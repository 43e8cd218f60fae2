package tenon.apps.training;

import java.util.List;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.Spec;
import tenon.apps.cli.OptionSection;
import tenon.apps.cli.UsageException;
import tenon.engine.TenonException;
import tenon.io.data.OnError;

/** How training pictures are read. Mixed into the commands that train on record files. */
@OptionSection("Reading pictures")
public final class LoaderOptions {
    @Option(
            names = "--workers",
            paramLabel = "N",
            defaultValue = "0",
            description = "Threads that read, decode and augment pictures; the result does not depend on it."
                    + " Default: half of the processors.")
    private int workers;

    @Option(
            names = "--on-error",
            paramLabel = "POLICY",
            defaultValue = "stop",
            description = "What a picture that cannot be read does: stop ends training and names it; skip gives its"
                    + " place to the next one, and counts it. Default: ${DEFAULT-VALUE}.")
    private OnError onError;

    @Option(
            names = "--decoder",
            paramLabel = "NAME",
            defaultValue = "auto",
            description = "What decodes JPEG pictures: turbo (libjpeg-turbo), stb, imageio, or auto, the first of them"
                    + " that is there. Default: ${DEFAULT-VALUE}.")
    private String decoder;

    @Option(
            names = "--shuffle-segment",
            paramLabel = "N",
            defaultValue = "0",
            description = "Read the file in segments of N neighbouring pictures, in random order: for files larger than"
                    + " memory on disks that seek slowly. 0: every order is equally likely. Default: ${DEFAULT-VALUE}.")
    private int shuffleSegment;

    @Option(
            names = "--shuffle-window",
            paramLabel = "N",
            defaultValue = "16",
            description = "Segments whose pictures are mixed with each other. Default: ${DEFAULT-VALUE}.")
    private int shuffleWindow;

    @Spec(Spec.Target.SELF)
    private CommandSpec own;

    @Spec(Spec.Target.MIXEE)
    private CommandSpec command;

    /** Those that were given. */
    List<String> given() {
        ParseResult parsed = command.commandLine().getParseResult();
        return own.options().stream()
                .map(OptionSpec::longestName)
                .filter(parsed::hasMatchedOption)
                .toList();
    }

    /** The options as given, checked; cheap, so that it comes before any work. */
    public LoaderSettings settings() {
        LoaderSettings settings =
                new LoaderSettings(workers, onError.toString(), decoder, shuffleSegment, shuffleWindow);
        try {
            settings.library();
        } catch (TenonException e) {
            throw new UsageException("--decoder: " + e.getMessage());
        }
        return settings;
    }
}
