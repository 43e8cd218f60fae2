package tenon.apps.training;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Option;
import tenon.apps.cli.OptionSection;

/** Where weights come from and which of them move. */
@OptionSection("Fine-tuning")
final class FineTuningOptions {
    @Option(
            names = "--weights",
            paramLabel = "MODEL",
            description = "Begin with the weights of a model file, of a run or of a checkpoint, or of other programs'"
                    + " files, as ./tenon import reads them: safetensors, .params, .h5, .npz. Without options that say"
                    + " otherwise, the network is of the variant that they are for. A last layer of another number of"
                    + " classes keeps its initial weights.")
    private String weights;

    @Option(
            names = "--freeze",
            paramLabel = "LAYER",
            split = ",",
            description =
                    "Leave these layers as they are, batch norm's averages included: dotted names or beginnings of"
                            + " them, e.g. conv1,block2.conv1.")
    private List<String> frozen;

    @Option(
            names = "--lr-scale",
            paramLabel = "LAYER=F",
            split = ",",
            description = "Factor of the rate for these layers, e.g. fc=10; the longest name that fits counts.")
    private Map<String, Double> rateScales;

    FineTuning settings() {
        return new FineTuning(weights, frozen, rateScales);
    }

    boolean hasWeights() {
        return weights != null;
    }

    Path weights() {
        return Path.of(weights);
    }
}
