package tenon.benchmarks.report;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.StreamSupport;
import tenon.benchmarks.Machine;

/** {@link Results} as a page with plots. */
final class Report {
    private static final int KERNELS_SHOWN = 30;

    private final Results results;
    private final StringBuilder text = new StringBuilder();

    private Report(Results results) {
        this.results = results;
    }

    /**
     * Writes {@code README.md} and the plots beside it.
     *
     * @param command that measured it
     */
    static void write(Path folder, Results results, String command) throws IOException {
        RatioChart.write(folder, results.rows());
        Files.writeString(folder.resolve("README.md"), new Report(results).page(folder, command));
    }

    private String page(Path folder, String command) {
        Map<String, String> machine = results.machine();
        line("# Benchmarks");
        line("");
        line(
                "Measured on %s; %s, %s cores, %s; Java %s; peer %s; Tenon %s.",
                machine.get("date"),
                machine.get("cpu"),
                machine.get("cores"),
                machine.get("os"),
                machine.get("java"),
                Machine.PEER,
                machine.get("tenon"));
        line("");
        line("```\n%s\n```", command);
        line("");
        line("[benchmarks/README.md](../../benchmarks/README.md) says what is compared. Every figure is a median over"
                + " rounds of the median step; [results.json](results.json) has the rounds.");
        table("train", "Training step");
        if (Files.exists(folder.resolve("training-ratio.png"))) {
            line("");
            line("![training throughput over libtorch's](training-ratio.png)");
        }
        shares();
        table("inference", "Inference");
        kernels(folder);
        return text.toString();
    }

    private List<JsonNode> rows(String mode) {
        return results.rows().stream()
                .filter(row -> row.path("mode").asText().equals(mode))
                .toList();
    }

    private void table(String mode, String title) {
        List<JsonNode> rows = rows(mode);
        if (rows.isEmpty()) {
            return;
        }
        line("");
        line("## %s, images/s", title);
        line("");
        line("| net (batch) | precision | Tenon | libtorch, tuned allocator | libtorch, default allocator | ratio"
                + " (over the rounds) | oneDNN's chain | Tenon over chain | peak memory, Tenon / libtorch |");
        line("|---|---|---|---|---|---|---|---|---|");
        for (JsonNode row : rows) {
            line(
                    "| %s (%d) | %s | %s | %s | %s | %s | %s | %s | %s / %s MB |",
                    row.path("net").asText(),
                    row.path("batch").asInt(),
                    row.path("precision").asText(),
                    number(row, "ours_images_per_second"),
                    peer(row),
                    number(row, "peer_default_images_per_second"),
                    ratio(row),
                    number(row, "floor_images_per_second"),
                    row.hasNonNull("overhead")
                            ? String.format(
                                    Locale.ROOT, "%.2f", 1 - row.get("overhead").asDouble())
                            : "–",
                    number(row, "ours_peak_rss_mb"),
                    number(row, "peer_peak_rss_mb"));
        }
    }

    private void shares() {
        List<JsonNode> rows = rows("train");
        if (rows.isEmpty()) {
            return;
        }
        line("");
        line("Where Tenon's step goes, in ms; outside kernels are layers, tape and allocator:");
        line("");
        line("| net (batch) | precision | step | forward | backward | update | outside kernels |");
        line("|---|---|---|---|---|---|---|");
        for (JsonNode row : rows) {
            JsonNode steps = row.path("ours_steps_ms");
            line(
                    "| %s (%d) | %s | %s | %s | %s | %s | %s |",
                    row.path("net").asText(),
                    row.path("batch").asInt(),
                    row.path("precision").asText(),
                    number(steps, "step"),
                    number(steps, "forward"),
                    number(steps, "backward"),
                    number(steps, "update"),
                    number(steps, "outside_kernels"));
        }
    }

    private void kernels(Path folder) {
        JsonNode kernels = results.kernels();
        if (kernels == null || kernels.isNull()) {
            return;
        }
        JsonNode roofline = kernels.path("roofline");
        line("");
        line("## Kernels");
        line("");
        line(
                "Roofline: %s GFLOP/s in fp32, %s in bf16, copy %s GB/s. The %d kernels that take most of a step, by"
                        + " time on buffers that no cache holds:",
                number(roofline, "gemm_fp32_gflops"),
                number(roofline, "gemm_bf16_gflops"),
                number(roofline, "copy_gb_per_second"),
                KERNELS_SHOWN);
        line("");
        line("| net | precision | kernel and arguments | calls | hot µs | cold µs | GFLOP/s | GB/s | % of roofline |");
        line("|---|---|---|---|---|---|---|---|---|");
        StreamSupport.stream(kernels.path("rows").spliterator(), false)
                .sorted(Comparator.comparingDouble(
                        row -> -row.path("calls").asInt() * row.path("cold_us").asDouble()))
                .limit(KERNELS_SHOWN)
                .forEach(row -> line(
                        "| %s | %s | `%s` | %d | %s | %s | %s | %s | %.0f |",
                        row.path("net").asText(),
                        row.path("precision").asText(),
                        row.path("shape").asText(),
                        row.path("calls").asInt(),
                        number(row, "hot_us"),
                        number(row, "cold_us"),
                        row.path("cold_gflops").asDouble() > 0 ? number(row, "cold_gflops") : "–",
                        number(row, "cold_gb_per_second"),
                        row.path("cold_percent_of_roofline").asDouble()));
        if (Files.exists(folder.resolve("roofline.png"))) {
            line("");
            line("![kernels under the roofline](roofline.png)");
        }
    }

    /** With the memory format that was the faster. */
    private static String peer(JsonNode row) {
        String rate = number(row, "peer_images_per_second");
        return row.hasNonNull("peer_format")
                ? rate + row.get("peer_format").asText().replace("libtorch", "")
                : rate;
    }

    private static String ratio(JsonNode row) {
        if (!row.hasNonNull("ratio")) {
            return "–";
        }
        double low = Double.MAX_VALUE;
        double high = 0;
        for (JsonNode one : row.path("ratio_rounds")) {
            low = Math.min(low, one.asDouble());
            high = Math.max(high, one.asDouble());
        }
        return String.format(
                Locale.ROOT, "**%.2f** (%.2f–%.2f)", row.get("ratio").asDouble(), low, high);
    }

    /** Three significant digits, whole numbers above; a dash where there is none. */
    private static String number(JsonNode row, String key) {
        if (!row.hasNonNull(key)) {
            return "–";
        }
        double value = row.get(key).asDouble();
        int decimals = value >= 100 || value == 0 ? 0 : value >= 10 ? 1 : 2;
        return String.format(Locale.ROOT, "%." + decimals + "f", value);
    }

    private void line(String format, Object... values) {
        text.append(values.length == 0 ? format : String.format(Locale.ROOT, format, values))
                .append('\n');
    }
}
