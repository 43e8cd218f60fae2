package tenon.benchmarks.gpu;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import tenon.apps.cli.Console;
import tenon.apps.cli.FailedCommand;
import tenon.apps.cli.TenonCommand;
import tenon.apps.cli.UsageException;
import tenon.benchmarks.networks.BenchmarkNetwork;
import tenon.benchmarks.networks.Selection;
import tenon.engine.DeviceException;
import tenon.engine.Scope;
import tenon.engine.TenonException;
import tenon.engine.backend.cuda.CudaBackend;
import tenon.engine.backend.cuda.CudaOptions;
import tenon.engine.backend.shapes.ShapeBackend;

/** {@code tenon bench gpu}. */
@Command(
        name = "gpu",
        description = {
            "Times training steps of whole networks on an NVIDIA GPU, as the trainer runs them, and with --peer the"
                    + " same networks in PyTorch (channels-last, TF32 or autocast where the mode says so), in turn.",
            "With --kernels every kernel of a network's step is timed beside the least time that its bytes and products"
                    + " take on this GPU, and with --overlap an upload beside computation.",
            "--together times several GPUs: the bandwidth of their sums, and how a network's step scales.",
            "What fails is reported, the rest is measured all the same, and the exit code is then 1."
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  ./tenon bench gpu --net resnet50 --mode tf32,bf16",
            "  ./tenon bench gpu --net all --peer python3 --rounds 2 --report gpu.json",
            "  ./tenon bench gpu --net none --kernels resnet50 --mode bf16 --overlap"
        })
public final class GpuCommand extends TenonCommand {
    private static final int MATRIX = 8192;
    private static final long COPIED = 256L << 20;
    private static final int OVERLAP_MATRIX = 4096;
    private static final double KERNEL_SECONDS = 0.05;

    @Option(
            names = "--net",
            paramLabel = "NAME",
            split = ",",
            defaultValue = "all",
            description = "Networks, all, or none. Default: ${DEFAULT-VALUE}.")
    private List<String> networks;

    @Option(
            names = "--mode",
            paramLabel = "NAME",
            split = ",",
            defaultValue = "fp32,tf32,bf16",
            description = "fp32, tf32, bf16. Default: ${DEFAULT-VALUE}.")
    private List<GpuMode> modes;

    @Option(names = "--batch", paramLabel = "N", description = "Images a step. Default: by network.")
    private Integer batch;

    @Option(
            names = "--device",
            paramLabel = "N",
            defaultValue = "0",
            description = "The GPU. Default: ${DEFAULT-VALUE}.")
    private int device;

    @Option(
            names = "--rounds",
            paramLabel = "N",
            defaultValue = "2",
            description = "Measurements of each side, in turn. Default: ${DEFAULT-VALUE}.")
    private int rounds;

    @Option(
            names = "--seconds",
            paramLabel = "S",
            defaultValue = "6",
            description = "Timed steps of one measurement, about. Default: ${DEFAULT-VALUE}.")
    private double seconds;

    @Option(names = "--eager", description = "Tenon's steps are not recorded.")
    private boolean eager;

    @Option(
            names = "--peer",
            paramLabel = "PYTHON",
            description = "An interpreter that can import torch; PyTorch is then measured in turn.")
    private String peer;

    @Option(
            names = "--peer-script",
            paramLabel = "FILE",
            defaultValue = "scripts/gpu_torch.py",
            description = "What it runs. Default: ${DEFAULT-VALUE}.")
    private Path script;

    @Option(
            names = "--kernels",
            paramLabel = "NAME",
            split = ",",
            defaultValue = "none",
            description = "Networks whose kernels are timed one by one, all, or none. Default: ${DEFAULT-VALUE}.")
    private List<String> kernels;

    @Option(names = "--overlap", description = "Times an upload beside computation.")
    private boolean overlap;

    @Option(
            names = "--together",
            paramLabel = "NAME",
            defaultValue = "none",
            description = "Where there are several GPUs: times sums over all of them, as nccl-tests does, and steps of"
                    + " this network on 1, 2, … of them, a batch on each. Default: ${DEFAULT-VALUE}.")
    private String together;

    @Option(
            names = "--scale",
            paramLabel = "N",
            defaultValue = "1",
            hidden = true,
            description = "Divides the sizes of products and copies that measure the GPU itself; for tests.")
    private int scale;

    @Option(names = "--report", paramLabel = "FILE", description = "Write the result there, as JSON.")
    private Path report;

    private final List<String> failures = new ArrayList<>();

    @Override
    protected Map<String, ?> run(Console console) throws IOException {
        if (batch != null && batch < 1 || rounds < 1 || !(seconds > 0) || scale < 1) {
            throw new UsageException("--batch, --rounds and --seconds must be positive");
        }
        CudaOptions options = CudaOptions.defaults().withDevice(device);
        Map<String, Object> json = new LinkedHashMap<>();
        Map<String, String> machine = new LinkedHashMap<>(GpuMachine.describe(device));
        json.put("machine", machine);
        machine.forEach((name, value) -> console.print("%s: %s", name, value));
        attempt(console, "device", () -> {
            try (CudaBackend backend = CudaBackend.open(options)) {
                backend.synchronize();
                console.print("device: %s, %s", backend.name(), backend.gpuName());
            }
        });
        List<GpuRow> rows = rows();
        try (TorchPeer torch = peer()) {
            if (torch != null) {
                attempt(console, "PyTorch's versions", () -> {
                    Map<String, String> facts = torch.facts();
                    facts.forEach((name, value) -> machine.put("pytorch_" + name, value));
                    console.print("pytorch: %s", facts);
                });
            }
            for (int round = 0; round < rounds; round++) {
                for (GpuRow row : rows) {
                    measure(console, options, torch, row);
                }
            }
        }
        console.print(GpuRow.header());
        rows.forEach(row -> console.print(row.line()));
        json.put("networks", rows.stream().map(GpuRow::json).toList());
        measureKernels(console, options, json);
        if (overlap) {
            attempt(console, "overlap of copies and computation", () -> {
                CopyOverlap result = CopyOverlap.measure(options, OVERLAP_MATRIX / scale, COPIED / scale / scale);
                console.print(
                        "overlap: copy %.2f ms, compute %.2f ms, together %.2f ms: %.0f %% hidden",
                        1e3 * result.copySeconds(),
                        1e3 * result.computeSeconds(),
                        1e3 * result.bothSeconds(),
                        100 * result.hidden());
                json.put("overlap", result.json());
            });
        }
        measureTogether(console, options, json);
        json.put("failures", failures);
        if (report != null) {
            Files.writeString(
                    report, new ObjectMapper().writerWithDefaultPrettyPrinter().writeValueAsString(json) + "\n");
        }
        if (!failures.isEmpty()) {
            throw new FailedCommand("bench gpu: " + failures.size() + " failed: " + String.join("; ", failures), json);
        }
        return json;
    }

    private List<GpuRow> rows() {
        List<GpuRow> rows = new ArrayList<>();
        for (BenchmarkNetwork network : chosen(networks)) {
            for (GpuMode mode : modes) {
                rows.add(new GpuRow(network, mode, batchOf(network)));
            }
        }
        return rows;
    }

    private static List<BenchmarkNetwork> chosen(List<String> names) {
        return names.equals(List.of("none")) ? List.of() : Selection.networks(names);
    }

    /** Enough images to keep a large GPU busy. */
    private int batchOf(BenchmarkNetwork network) {
        if (batch != null) {
            return batch;
        }
        return switch (network) {
            case MINIVGG -> 1024;
            case SQUEEZENET, ALEXNET -> 256;
            case GOOGLENET, RESNET50 -> 128;
            case VGG16 -> 64;
        };
    }

    private TorchPeer peer() throws IOException {
        return peer == null ? null : new TorchPeer(peer, script);
    }

    /** A measurement that may fail without hiding the others. */
    private interface Attempt {
        void run() throws IOException;
    }

    private boolean attempt(Console console, String what, Attempt attempt) {
        try {
            attempt.run();
            return true;
        } catch (IOException | RuntimeException | LinkageError e) {
            String failure = what + ": " + e.getMessage();
            failures.add(failure);
            console.warn(failure);
            return false;
        }
    }

    private void measure(Console console, CudaOptions options, TorchPeer torch, GpuRow row) {
        String what = row.network() + " " + row.mode() + " batch " + row.batch();
        boolean done = attempt(console, what, () -> {
            GpuTraining.Result result =
                    GpuTraining.measure(options, row.mode(), row.network(), row.batch(), seconds, !eager);
            row.add(result);
            console.print("%s: tenon %.0f images/s, loss %.3f", what, row.batch() / result.best(), result.loss());
            if (torch != null) {
                attempt(console, "pytorch eager " + what, () -> measurePeer(console, torch, row, result, "eager"));
                try {
                    measurePeer(console, torch, row, result, "compiled");
                } catch (TenonException | IOException e) {
                    // Compilation needs more than PyTorch itself.
                    console.warn("pytorch compiled " + what + ": left out: " + e.getMessage());
                }
            }
        });
        if (!done) {
            console.warn(what + " is left out");
        }
    }

    private void measurePeer(Console console, TorchPeer torch, GpuRow row, GpuTraining.Result ours, String variant)
            throws IOException {
        JsonNode answer = torch.measure(
                row.network(), description(row.network()), row.batch(), row.mode(), variant, seconds, device);
        TorchPeer.requireEqual(row.network(), ours, answer);
        List<Double> stepSeconds = TorchPeer.stepSeconds(answer);
        row.add(variant, stepSeconds);
        console.print(
                "%s %s batch %d: pytorch %s %.0f images/s",
                row.network(),
                row.mode(),
                row.batch(),
                variant,
                row.batch()
                        / stepSeconds.stream()
                                .mapToDouble(Double::doubleValue)
                                .min()
                                .orElseThrow());
    }

    private static Map<String, Object> description(BenchmarkNetwork network) {
        try (ShapeBackend shapes = new ShapeBackend();
                var _ = Scope.open("description", shapes)) {
            return NetworkDescription.of(network.build());
        }
    }

    private void measureTogether(Console console, CudaOptions options, Map<String, Object> json) {
        int gpus = gpus();
        List<BenchmarkNetwork> chosen = chosen(List.of(together));
        if (gpus < 2 || chosen.isEmpty()) {
            return;
        }
        attempt(
                console,
                "sums over " + gpus + " GPUs",
                () -> json.put("all_reduce", SeveralGpus.sums(options, gpus, scale, console)));
        List<Map<String, Object>> all = new ArrayList<>();
        for (BenchmarkNetwork network : chosen) {
            for (GpuMode mode : modes) {
                attempt(
                        console,
                        network + " " + mode + " on " + gpus + " GPUs",
                        () -> all.addAll(
                                SeveralGpus.scaling(options, mode, network, batchOf(network), gpus, seconds, console)));
            }
        }
        json.put("scaling", all);
    }

    /** 0 where there is no driver, which is reported elsewhere. */
    private static int gpus() {
        try {
            return CudaBackend.deviceCount();
        } catch (DeviceException | LinkageError _) {
            return 0;
        }
    }

    private void measureKernels(Console console, CudaOptions options, Map<String, Object> json) {
        List<BenchmarkNetwork> chosen = chosen(kernels);
        if (chosen.isEmpty()) {
            return;
        }
        GpuRoofline[] roofline = new GpuRoofline[1];
        if (!attempt(console, "roofline", () -> {
            roofline[0] = GpuRoofline.measure(options, MATRIX / scale, COPIED / scale / scale);
            console.print("roofline: %s", roofline[0].json());
            json.put("roofline", roofline[0].json());
        })) {
            return;
        }
        List<Map<String, Object>> all = new ArrayList<>();
        for (BenchmarkNetwork network : chosen) {
            for (GpuMode mode : modes) {
                attempt(console, "kernels of " + network + " " + mode, () -> {
                    List<GpuKernels.Row> rows = GpuKernels.measure(
                            options, mode, network, batchOf(network), KERNEL_SECONDS / scale, roofline[0]);
                    console.print("%s, batch %d, %s", network, batchOf(network), mode);
                    console.print(GpuKernels.Row.header());
                    rows.forEach(row -> console.print(row.line()));
                    Map<String, Object> one = new LinkedHashMap<>();
                    one.put("net", network.toString());
                    one.put("mode", mode.toString());
                    one.put("batch", batchOf(network));
                    one.put("rows", rows.stream().map(GpuKernels.Row::json).toList());
                    all.add(one);
                });
            }
        }
        json.put("kernels", all);
    }
}
