package tenon.benchmarks.kernels;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.XYSeries.XYSeriesRenderStyle;
import org.knowm.xchart.style.Styler.ChartTheme;
import org.knowm.xchart.style.Styler.LegendPosition;
import org.knowm.xchart.style.markers.SeriesMarkers;
import tenon.apps.pictures.Fonts;
import tenon.benchmarks.ChartFiles;
import tenon.benchmarks.floor.Roofline;
import tenon.engine.Precision;

/** The kernels with matrix products under the machine's roofline (Williams et al. 2009): GFLOP/s over floating-point operations a byte, cold caches. */
final class RooflineChart {
    private static final double LOWEST_INTENSITY = 0.25;
    private static final double HIGHEST_INTENSITY = 4096;

    private RooflineChart() {}

    /** Writes {@code roofline.png} and {@code roofline.svg}. */
    static void write(Path folder, Roofline roofline, List<KernelRow> rows) throws IOException {
        Fonts.require();
        ChartFiles.write(chart(roofline, rows), folder, "roofline");
    }

    private static XYChart chart(Roofline roofline, List<KernelRow> rows) {
        XYChart chart = new XYChartBuilder()
                .width(1000)
                .height(650)
                .title("Roofline, " + roofline.threads() + " threads")
                .xAxisTitle("floating-point operations a byte")
                .yAxisTitle("GFLOP/s")
                .theme(ChartTheme.GGPlot2)
                .build();
        chart.getStyler()
                .setXAxisLogarithmic(true)
                .setYAxisLogarithmic(true)
                .setXAxisDecimalPattern("#.##")
                .setYAxisDecimalPattern("#.#")
                .setLegendPosition(LegendPosition.OutsideE);
        for (Precision precision : Precision.values()) {
            if (precision == Precision.FP32 || roofline.bf16() > 0) {
                addRoof(chart, roofline, precision);
            }
        }
        for (Precision precision : Precision.values()) {
            for (String kind : List.of("convolution.", "dense.")) {
                List<KernelRow> chosen = rows.stream()
                        .filter(row ->
                                row.precision() == precision && row.kernelCase().flops() > 0)
                        .filter(row -> row.kernelCase().kernel().name().startsWith(kind))
                        .toList();
                if (!chosen.isEmpty()) {
                    chart.addSeries(
                                    kind.replace('.', ' ') + precision,
                                    chosen.stream()
                                            .mapToDouble(KernelRow::intensity)
                                            .toArray(),
                                    chosen.stream()
                                            .mapToDouble(row -> row.gflops(row.coldMicroseconds()))
                                            .toArray())
                            .setXYSeriesRenderStyle(XYSeriesRenderStyle.Scatter);
                }
            }
        }
        return chart;
    }

    /** Rises with the bandwidth of a copy up to the ridge, and is flat from there on. */
    private static void addRoof(XYChart chart, Roofline roofline, Precision precision) {
        double peak = roofline.flops(precision);
        double[] intensities = {LOWEST_INTENSITY, peak / roofline.copy(), HIGHEST_INTENSITY};
        double[] gflops = {1e-9 * LOWEST_INTENSITY * roofline.copy(), 1e-9 * peak, 1e-9 * peak};
        chart.addSeries("roof " + precision, intensities, gflops).setMarker(SeriesMarkers.NONE);
    }
}
