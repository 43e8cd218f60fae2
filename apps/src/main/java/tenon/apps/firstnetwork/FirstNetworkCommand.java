package tenon.apps.firstnetwork;

import picocli.CommandLine.Command;
import tenon.apps.cli.CommandGroup;

/** {@code tenon first-network}: the first chapter of the course. */
@Command(
        name = "first-network",
        description = "Trains a first network on your own pictures: a dense net, then a small VGG; asks them about one"
                + " picture; shows early stopping.",
        subcommands = {
            TrainSimpleNnCommand.class,
            TrainVggCommand.class,
            PredictCommand.class,
            EarlyStoppingCommand.class
        })
public final class FirstNetworkCommand extends CommandGroup {}
