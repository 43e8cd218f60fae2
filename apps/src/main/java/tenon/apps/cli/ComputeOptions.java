package tenon.apps.cli;

import java.util.Locale;
import picocli.CommandLine.Option;
import tenon.engine.Precision;
import tenon.engine.backend.cuda.CudaOptions;

/** What a command computes with. Mixed into the commands that run networks. */
@OptionSection("Computing")
public final class ComputeOptions {
    @Option(
            names = "--device",
            paramLabel = "NAME",
            defaultValue = "cpu",
            description =
                    "cpu; cuda or cuda:N, the first or N-th (from 0) NVIDIA GPU; cuda:0,cuda:1 or cuda:all to train on"
                            + " several; or reference (plain loops, slow). Default: ${DEFAULT-VALUE}.")
    private String device;

    @Option(
            names = "--threads",
            paramLabel = "N",
            description = "Compute threads. Default: one per processor the process may use.")
    private Integer threads;

    @Option(
            names = "--precision",
            paramLabel = "NAME",
            defaultValue = "fp32",
            description =
                    "fp32, or bf16: activations and copies of the weights in bfloat16, which halves memory traffic;"
                            + " fp32 where the processor has no bf16. Default: ${DEFAULT-VALUE}.")
    private Precision precision;

    @Option(
            names = "--tf32",
            description = "On a GPU: products in fp32 round their factors to 10 bits of mantissa and run on the tensor"
                    + " cores, several times faster. Default: off, or -Dtenon.cuda.tf32.")
    private Boolean tf32;

    @Option(
            names = "--deterministic",
            negatable = true,
            description = "Equal seeds give equal bits, as they always do on a CPU; without, a GPU may take faster"
                    + " algorithms that add in varying order. Default: on, or -Dtenon.cuda.deterministic.")
    private Boolean deterministic;

    @Option(
            names = "--seed",
            paramLabel = "N",
            defaultValue = "42",
            description = "Decides initial weights, order, augmentation and dropout. Default: ${DEFAULT-VALUE}.")
    private long seed;

    @Option(
            names = "--check-finite",
            description = "Stop at the first NaN or infinity and name the operation that made it (slower).")
    private boolean checkFinite;

    /** As {@link #settings}, for commands that compute on one device. */
    public ComputeSettings settingsOfOneDevice() {
        return settings().requireOneDevice();
    }

    /** The options as given, checked; cheap, so that it comes before any work. */
    public ComputeSettings settings() {
        int processors = Runtime.getRuntime().availableProcessors();
        boolean gpu = device.toLowerCase(Locale.ROOT).startsWith("cuda");
        CudaOptions defaults = CudaOptions.defaults();
        ComputeSettings settings = new ComputeSettings(
                device,
                threads != null ? threads : processors,
                precision,
                tf32 != null ? tf32 : gpu && defaults.tf32(),
                deterministic != null ? deterministic : defaults.deterministic(),
                seed,
                checkFinite);
        settings.requireDevice();
        return settings;
    }
}
