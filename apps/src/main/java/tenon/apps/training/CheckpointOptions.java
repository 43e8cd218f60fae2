package tenon.apps.training;

import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;
import tenon.apps.cli.OptionSection;

/** Which checkpoints are written and kept, which is the best, and when no better one is waited for. */
@OptionSection("Checkpoints")
final class CheckpointOptions {
    @Option(
            names = "--checkpoint-every",
            paramLabel = "N",
            defaultValue = "1",
            description = "Epochs between checkpoints. Default: ${DEFAULT-VALUE}.")
    private int every;

    @Option(
            names = "--checkpoint-steps",
            paramLabel = "N",
            defaultValue = "0",
            description = "Updates between checkpoints within epochs; 0: none. Default: ${DEFAULT-VALUE}.")
    private long everySteps;

    @Option(
            names = "--keep",
            paramLabel = "N",
            converter = KeepConverter.class,
            description = "Newest checkpoints to keep besides the best, or all. Default: 2; all with --until and"
                    + " --experiment.")
    private Integer keep;

    @Option(
            names = "--best-by",
            paramLabel = "NAME",
            defaultValue = "val_acc",
            description =
                    "What the best epoch is chosen by, one of ${COMPLETION-CANDIDATES}. Default: ${DEFAULT-VALUE}.")
    private RunConfig.Judge judge;

    @Option(
            names = "--patience",
            paramLabel = "N",
            description = "Stop after N epochs in a row without a better one; 0: never. Default: 0, or the"
                    + " experiment's.")
    private Integer patience;

    /** @param keepsAll where nothing is given */
    CheckpointSettings settings(boolean keepsAll) {
        return new CheckpointSettings(
                everySteps, keep != null ? keep : keepsAll ? 0 : CheckpointSettings.DEFAULT.keep());
    }

    int every() {
        return every;
    }

    RunConfig.Judge judge() {
        return judge;
    }

    /** @param experiment what holds where nothing is given */
    int patience(int experiment) {
        return patience != null ? patience : experiment;
    }

    private static final class KeepConverter implements ITypeConverter<Integer> {
        @Override
        public Integer convert(String text) {
            if (text.equalsIgnoreCase("all")) {
                return 0;
            }
            try {
                int count = Integer.parseInt(text);
                if (count >= 1) {
                    return count;
                }
            } catch (NumberFormatException _) {
                // Said below.
            }
            throw new TypeConversionException("'" + text + "' must be a number of at least 1, or all");
        }
    }
}
