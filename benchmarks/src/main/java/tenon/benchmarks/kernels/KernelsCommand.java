package tenon.benchmarks.kernels;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import tenon.apps.cli.Console;
import tenon.apps.cli.TenonCommand;
import tenon.apps.cli.UsageException;
import tenon.benchmarks.Machine;
import tenon.benchmarks.floor.Roofline;
import tenon.benchmarks.kernels.KernelBenchmark.Caches;
import tenon.benchmarks.networks.BenchmarkNetwork;
import tenon.benchmarks.networks.Selection;
import tenon.engine.Precision;
import tenon.engine.backend.cpu.CpuBackend;

/** {@code tenon bench kernels}. */
@Command(
        name = "kernels",
        description = {
            "Times every kernel of a network's training step by itself (JMH), forward and backward, on hot caches and"
                    + " on buffers that no cache holds, and says how much of the machine's roofline it reaches.",
            "The roofline is measured first: the rate of a large matrix product, and the bandwidth of a copy."
                    + " Percentages above 100 mean that caches served what the roofline counts as memory traffic."
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  ./tenon bench kernels --net minivgg --precision both --plot output/roofline",
            "  ./tenon bench kernels --net resnet50 --filter convolution.backward --json"
        })
public final class KernelsCommand extends TenonCommand {
    @Option(
            names = "--net",
            paramLabel = "NAME",
            split = ",",
            defaultValue = "minivgg",
            description = "Networks that the shapes come from, or all. Default: ${DEFAULT-VALUE}.")
    private List<String> networks;

    @Option(names = "--batch", paramLabel = "N", description = "Images a step. Default: the network's own.")
    private Integer batch;

    @Option(
            names = "--precision",
            paramLabel = "NAME",
            defaultValue = "fp32",
            description = "fp32, bf16 or both. Default: ${DEFAULT-VALUE}.")
    private String precision;

    @Option(
            names = "--filter",
            paramLabel = "REGEX",
            defaultValue = "",
            description = "Only kernels in whose name and shapes this is found, as the table and --json show them.")
    private String filter;

    @Option(names = "--threads", paramLabel = "N", description = "Compute threads. Default: one per processor.")
    private Integer threads;

    @Option(
            names = "--iteration-ms",
            paramLabel = "MS",
            defaultValue = "200",
            description = "Length of one of the 2 + 5 iterations. Default: ${DEFAULT-VALUE}.")
    private int milliseconds;

    @Option(names = "--plot", paramLabel = "DIR", description = "Write roofline.png and roofline.svg there.")
    private Path plot;

    @Override
    protected Map<String, ?> run(Console console) throws IOException {
        if (batch != null && batch < 1) {
            throw new UsageException("--batch must be at least 1: " + batch);
        }
        if (threads != null && threads < 1) {
            throw new UsageException("--threads must be at least 1: " + threads);
        }
        if (milliseconds < 1) {
            throw new UsageException("--iteration-ms must be at least 1: " + milliseconds);
        }
        List<BenchmarkNetwork> chosen = Selection.networks(networks);
        List<Precision> precisions = Selection.precisions(precision);
        Pattern pattern = pattern();
        int processors = threads != null ? threads : Runtime.getRuntime().availableProcessors();

        Roofline roofline = Roofline.measure(processors);
        console.print(
                "roofline: %.0f GFLOP/s fp32, %.0f GFLOP/s bf16, copy %.1f GB/s",
                1e-9 * roofline.fp32(), 1e-9 * roofline.bf16(), 1e-9 * roofline.copy());
        List<KernelRow> rows = new ArrayList<>();
        try (CpuBackend backend = CpuBackend.open(processors)) {
            for (BenchmarkNetwork network : chosen) {
                for (Precision one : precisions) {
                    if (!one.availableOn(backend)) {
                        console.warn("this processor has no " + one + ": left out");
                        continue;
                    }
                    measure(console, backend, network, one, pattern, roofline, rows);
                }
            }
        }
        if (plot != null) {
            RooflineChart.write(plot, roofline, rows);
        }
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("roofline", roofline.json());
        json.put("rows", rows.stream().map(KernelRow::toMap).toList());
        json.put("machine", Machine.describe());
        return json;
    }

    private void measure(
            Console console,
            CpuBackend backend,
            BenchmarkNetwork network,
            Precision one,
            Pattern pattern,
            Roofline roofline,
            List<KernelRow> rows) {
        int images = batch != null ? batch : network.batch();
        console.print("%s, batch %d, %s", network, images, one);
        console.print(KernelRow.header());
        for (KernelCase kernelCase : KernelRecorder.record(backend, network, images, one)) {
            if (pattern.matcher(kernelCase.key()).find()) {
                Map<Caches, double[]> times = KernelRun.measure(kernelCase, backend, milliseconds);
                KernelRow row = new KernelRow(
                        network, images, one, kernelCase, times.get(Caches.HOT), times.get(Caches.COLD), roofline);
                console.print(row.line());
                rows.add(row);
            }
        }
    }

    private Pattern pattern() {
        try {
            return Pattern.compile(filter);
        } catch (PatternSyntaxException e) {
            throw new UsageException("--filter must be a regular expression: " + e.getMessage());
        }
    }
}
