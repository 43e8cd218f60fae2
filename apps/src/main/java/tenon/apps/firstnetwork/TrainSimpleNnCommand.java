package tenon.apps.firstnetwork;

import picocli.CommandLine.Command;

/** {@code tenon first-network train-simple-nn}. */
@Command(
        name = "train-simple-nn",
        description = {
            "Trains a dense network (3072-1024-512) on a folder of class folders: 75 %% of the pictures to train, 25 %%"
                    + " to test.",
            "Pictures are squashed to 32x32, RGB, scaled to [0, 1]. SGD with rate 0.01, batch 32, 75 epochs."
        },
        footerHeading = "%nExample:%n",
        footer = {
            "  ./tenon first-network train-simple-nn -d animals -m output/simple_nn.model \\",
            "      -l output/simple_nn_lb.json -p output/simple_nn_plot.png"
        })
public final class TrainSimpleNnCommand extends TrainerCommand {
    public TrainSimpleNnCommand() {
        super(Program.SIMPLE_NN);
    }
}
