package tenon.benchmarks.report;

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
import tenon.apps.cli.TenonCommand;
import tenon.apps.cli.UsageException;
import tenon.benchmarks.ChildProcess;
import tenon.benchmarks.Machine;
import tenon.benchmarks.Main;
import tenon.benchmarks.networks.BenchmarkNetwork;
import tenon.benchmarks.networks.Mode;
import tenon.benchmarks.networks.RowRequest;
import tenon.benchmarks.networks.Selection;
import tenon.engine.Precision;
import tenon.engine.TenonException;

/** {@code tenon bench all}. */
@Command(
        name = "all",
        description = {
            "Measures the networks, training and inference at batch 1 and 32, then kernels, and writes the tables and"
                    + " plots of the documentation.",
            "Cheap networks come first. Rows that the report's results.json holds already are not measured again."
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  ./tenon bench all --report docs/benchmarks",
            "  ./tenon bench all --report output/quick --net minivgg --rounds 1 --seconds 2 --kernels none"
        })
public final class AllCommand extends TenonCommand {
    private static final int[] INFERENCE_BATCHES = {1, 32};

    @Option(
            names = "--report",
            paramLabel = "DIR",
            required = true,
            description = "Where results.json, README.md and plots go.")
    private Path report;

    @Option(
            names = "--net",
            paramLabel = "NAME",
            split = ",",
            defaultValue = "all",
            description = "Networks, or all. Default: ${DEFAULT-VALUE}.")
    private List<String> networks;

    @Option(
            names = "--precision",
            paramLabel = "NAME",
            defaultValue = "both",
            description = "fp32, bf16 or both. Default: ${DEFAULT-VALUE}.")
    private String precision;

    @Option(
            names = "--mode",
            paramLabel = "NAME",
            defaultValue = "both",
            description = "train, inference or both. Default: ${DEFAULT-VALUE}.")
    private String mode;

    @Option(
            names = "--kernels",
            paramLabel = "NAME",
            split = ",",
            defaultValue = "resnet50",
            description = "Networks whose kernels are measured one by one, all, or none. Default: ${DEFAULT-VALUE}.")
    private List<String> kernels;

    @Option(names = "--rounds", paramLabel = "N", defaultValue = "3", description = "Default: ${DEFAULT-VALUE}.")
    private int rounds;

    @Option(
            names = "--seconds",
            paramLabel = "S",
            defaultValue = "10",
            description = "Of timed steps in each process. Default: ${DEFAULT-VALUE}.")
    private double seconds;

    @Option(names = "--threads", paramLabel = "N", description = "Compute threads. Default: one per processor.")
    private Integer threads;

    @Option(names = "--again", description = "Measure everything, also what is there.")
    private boolean again;

    @Override
    protected Map<String, ?> run(Console console) throws IOException {
        if (rounds < 1) {
            throw new UsageException("--rounds must be at least 1: " + rounds);
        }
        if (!(seconds > 0)) {
            throw new UsageException("--seconds must be above 0: " + seconds);
        }
        if (threads != null && threads < 1) {
            throw new UsageException("--threads must be at least 1: " + threads);
        }
        List<RowRequest> requests = requests();
        boolean withKernels = !kernels.equals(List.of("none"));
        if (withKernels) {
            Selection.networks(kernels);
        }
        Files.createDirectories(report);
        Path file = report.resolve("results.json");
        if (again) {
            Files.deleteIfExists(file);
        }
        Results results = Results.open(file, Machine.describe());
        List<String> failed = new ArrayList<>();
        int measured = 0;
        for (RowRequest request : requests) {
            if (results.has(request.identity())) {
                console.print("%s: there already", request);
                continue;
            }
            try {
                results.add(request.measure(console, rounds, seconds));
                Report.write(report, results, command());
                measured++;
            } catch (TenonException e) {
                // The others are worth having; the command fails in the end.
                console.warn(request + ": " + e.getMessage());
                failed.add(request.toString());
            }
        }
        if (withKernels && results.kernels() == null) {
            console.print("kernels of %s", String.join(", ", kernels));
            try {
                results.setKernels(measureKernels());
            } catch (TenonException e) {
                console.warn("kernels: " + e.getMessage());
                failed.add("kernels");
            }
        }
        Report.write(report, results, command());
        console.print("Report: %s", report.resolve("README.md"));
        if (!failed.isEmpty()) {
            throw new TenonException(
                    "bench all: " + failed.size() + " could not be measured: " + String.join("; ", failed));
        }
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("report", report.toString());
        json.put("rows", results.rows().size());
        json.put("measured", measured);
        return json;
    }

    private List<RowRequest> requests() {
        if (!List.of("train", "inference", "both").contains(mode)) {
            throw new UsageException("--mode must be train, inference or both: " + mode);
        }
        int processors = threads != null ? threads : Runtime.getRuntime().availableProcessors();
        List<RowRequest> requests = new ArrayList<>();
        for (BenchmarkNetwork network : Selection.networks(networks)) {
            for (Precision one : Selection.precisions(precision)) {
                if (!mode.equals("inference")) {
                    requests.add(new RowRequest(network, network.batch(), one, Mode.TRAIN, processors));
                }
                if (!mode.equals("train")) {
                    for (int batch : INFERENCE_BATCHES) {
                        requests.add(new RowRequest(network, batch, one, Mode.INFERENCE, processors));
                    }
                }
            }
        }
        return requests;
    }

    /** In a process of its own, whose memory and threads do not stand beside the networks'. */
    private String measureKernels() throws IOException {
        List<String> arguments = new ArrayList<>(List.of("bench", "kernels", "--json", "--iteration-ms", "50"));
        arguments.addAll(List.of("--net", String.join(",", kernels), "--precision", precision));
        arguments.addAll(List.of("--plot", report.toString()));
        if (threads != null) {
            arguments.addAll(List.of("--threads", threads.toString()));
        }
        return ChildProcess.run(Main.class, Map.of(), arguments.toArray(String[]::new));
    }

    private String command() {
        StringBuilder command = new StringBuilder("./tenon bench all --report " + report);
        command.append(" --net ")
                .append(String.join(",", networks))
                .append(" --precision ")
                .append(precision);
        if (!mode.equals("both")) {
            command.append(" --mode ").append(mode);
        }
        command.append(" --rounds ").append(rounds).append(" --seconds ").append(seconds);
        command.append(" --kernels ").append(String.join(",", kernels));
        return threads == null ? command.toString() : command + " --threads " + threads;
    }
}
