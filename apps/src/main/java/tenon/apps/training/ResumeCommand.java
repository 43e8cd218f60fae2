package tenon.apps.training;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import tenon.apps.cli.Console;
import tenon.apps.cli.TenonCommand;

/** {@code tenon resume}: goes on with an interrupted run. */
@Command(
        name = "resume",
        description = {
            "Goes on with a training run from its newest whole checkpoint, with the run's own settings (run.json).",
            "The result is bit for bit that of a run that was never interrupted.",
            "With --from-epoch or --lr it goes on in a branch of its own; what the run did before is kept."
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  ./tenon resume output/train",
            "  ./tenon resume output/train --epochs 40     (train longer than planned)",
            "  ./tenon resume output/train --from-epoch 50 --lr 0.001 --until 80",
            "  ./tenon resume output/train --device cuda"
        })
public final class ResumeCommand extends TenonCommand {
    @Parameters(paramLabel = "RUN", description = "Folder of the run, or of one of its checkpoints.")
    private Path folder;

    @Option(
            names = "--epochs",
            paramLabel = "N",
            description = "Train to this number of epochs in all (default: as planned; another number changes schedules"
                    + " that depend on it).")
    private Integer epochs;

    @Option(
            names = "--device",
            paramLabel = "NAME",
            description =
                    "Go on with this device: cpu, cuda, cuda:N, reference, or several GPUs, cuda:0,cuda:1 or cuda:all"
                            + " (default: the run's own). Another device rounds differently; with another number of"
                            + " devices as many batches make an update.")
    private String device;

    @Option(
            names = "--from-epoch",
            paramLabel = "EPOCH",
            description = "Go back to the end of this epoch; needs its checkpoint (./tenon train --keep all).")
    private Integer fromEpoch;

    @Option(
            names = "--lr",
            paramLabel = "RATE",
            description = "Go on at this rate, constant unless --schedule says else.")
    private Double rate;

    @Option(
            names = "--schedule",
            paramLabel = "NAME",
            description = "How the rate falls from --lr over the rest of the epochs, one of ${COMPLETION-CANDIDATES}.")
    private ScheduleSpec.Kind schedule;

    @Mixin
    private WatchOptions watch;

    @Override
    protected Map<String, ?> run(Console console) throws IOException {
        watch.limits();
        Resumption how = new Resumption(epochs, device, fromEpoch, rate, schedule);
        try (TrainingRun run = TrainingRun.resume(folder, how, console)) {
            return TrainingReport.train(run, run.folder(), watch, console);
        }
    }
}
