package tenon.apps.training;

import java.time.Duration;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;
import tenon.apps.cli.Console;
import tenon.apps.cli.OptionSection;
import tenon.apps.cli.UsageException;

/** How a training command is looked at, and when it stops before the end. */
@OptionSection("Limits and logs")
final class WatchOptions {
    @Option(
            names = "--until",
            paramLabel = "EPOCH",
            description = "Stop after this epoch of the planned ones, to look at the plot and go on: ./tenon resume,"
                    + " from there or from an earlier epoch. Keeps all checkpoints unless --keep says else.")
    private Integer until;

    @Option(names = "--max-steps", paramLabel = "N", description = "Stop after so many updates of this command.")
    private Long maxSteps;

    @Option(
            names = "--max-time",
            paramLabel = "TIME",
            converter = DurationConverter.class,
            description = "Stop after so much time: 90s, 45m, 12h, 2d.")
    private Duration maxTime;

    @Option(
            names = "--log-every",
            paramLabel = "N",
            defaultValue = "100",
            description = "Updates between points of TensorBoard's curves, and between lines where there is no"
                    + " terminal; 0: only epochs' ends, and no event files. Default: ${DEFAULT-VALUE}.")
    private int logEvery;

    @Option(names = "--no-tensorboard", description = "Write no event files to RUN/tensorboard.")
    private boolean noTensorBoard;

    boolean stopsEarly() {
        return until != null;
    }

    /** The options, checked; cheap, so that it comes before any work. */
    StopLimits limits() {
        if (logEvery < 0) {
            throw new UsageException("--log-every must be at least 0: " + logEvery);
        }
        return new StopLimits(until, maxSteps, maxTime);
    }

    Watching watching(RunConfig config, Console console) {
        return new Watching(
                new LiveLine(console, config.network().classes(), logEvery), limits(), noTensorBoard ? 0 : logEvery);
    }

    private static final class DurationConverter implements ITypeConverter<Duration> {
        private static final Pattern FORM = Pattern.compile("(\\d{1,9})([smhd])");

        @Override
        public Duration convert(String text) {
            Matcher matcher = FORM.matcher(text.toLowerCase(Locale.ROOT));
            if (!matcher.matches()) {
                throw new TypeConversionException("'" + text + "' must be a number with s, m, h or d, such as 90m");
            }
            long count = Long.parseLong(matcher.group(1));
            return switch (matcher.group(2)) {
                case "s" -> Duration.ofSeconds(count);
                case "m" -> Duration.ofMinutes(count);
                case "h" -> Duration.ofHours(count);
                default -> Duration.ofDays(count);
            };
        }
    }
}
