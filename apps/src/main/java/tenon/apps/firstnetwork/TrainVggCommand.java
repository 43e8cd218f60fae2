package tenon.apps.firstnetwork;

import picocli.CommandLine.Command;

/** {@code tenon first-network train-vgg}. */
@Command(
        name = "train-vgg",
        description = {
            "Trains SmallVGGNet on a folder of class folders: 75 %% of the pictures to train, 25 %% to test.",
            "Pictures are squashed to 64x64, RGB, scaled to [0, 1], and augmented while training (turned, shifted,"
                    + " sheared, zoomed, mirrored). SGD with rate 0.01 and time-based decay, batch 32, 75 epochs."
        },
        footerHeading = "%nExample:%n",
        footer = {
            "  ./tenon first-network train-vgg -d animals -m output/smallvggnet.model \\",
            "      -l output/smallvggnet_lb.json -p output/smallvggnet_plot.png"
        })
public final class TrainVggCommand extends TrainerCommand {
    public TrainVggCommand() {
        super(Program.VGG);
    }
}
