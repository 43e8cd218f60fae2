package tenon.benchmarks.report;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.knowm.xchart.CategoryChart;
import org.knowm.xchart.CategoryChartBuilder;
import org.knowm.xchart.style.Styler.ChartTheme;
import tenon.apps.pictures.Fonts;
import tenon.benchmarks.ChartFiles;

/** Bars of training throughput over libtorch's, by network and precision. */
final class RatioChart {
    private RatioChart() {}

    /** Writes {@code training-ratio.png} and {@code .svg}; nothing when no row was compared. */
    static void write(Path folder, List<JsonNode> rows) throws IOException {
        List<JsonNode> compared = rows.stream()
                .filter(row -> row.path("mode").asText().equals("train"))
                .filter(row -> row.hasNonNull("ratio"))
                .toList();
        if (compared.isEmpty()) {
            return;
        }
        Fonts.require();
        CategoryChart chart = new CategoryChartBuilder()
                .width(900)
                .height(500)
                .title("Training step, images/s over libtorch's (tuned allocator, its faster memory format)")
                .yAxisTitle("ratio")
                .theme(ChartTheme.GGPlot2)
                .build();
        Set<String> networks = new LinkedHashSet<>();
        compared.forEach(row -> networks.add(name(row)));
        for (String precision : List.of("fp32", "bf16")) {
            List<Double> ratios = new ArrayList<>();
            networks.forEach(network -> ratios.add(compared.stream()
                    .filter(row -> name(row).equals(network)
                            && row.path("precision").asText().equals(precision))
                    .map(row -> row.path("ratio").asDouble())
                    .findFirst()
                    .orElse(null)));
            if (ratios.stream().anyMatch(ratio -> ratio != null)) {
                chart.addSeries(precision, List.copyOf(networks), ratios);
            }
        }
        ChartFiles.write(chart, folder, "training-ratio");
    }

    private static String name(JsonNode row) {
        return row.path("net").asText() + " (" + row.path("batch").asInt() + ")";
    }
}
