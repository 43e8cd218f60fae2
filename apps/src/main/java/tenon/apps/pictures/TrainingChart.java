package tenon.apps.pictures;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.knowm.xchart.BitmapEncoder;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.style.Styler.ChartTheme;
import org.knowm.xchart.style.Styler.LegendPosition;
import org.knowm.xchart.style.markers.SeriesMarkers;

/** Curves over epochs in the look of ggplot: one figure, written as PNG. */
public final class TrainingChart {
    private static final int WIDTH = 800;
    private static final int HEIGHT = 600;

    /**
     * One curve.
     *
     * @param values one value per epoch, from epoch 0; NaN leaves a gap
     */
    public record Curve(String name, List<Double> values) {}

    private TrainingChart() {}

    /**
     * Writes the chart of loss and accuracy with its usual labels, {@code Epoch #} and {@code Loss/Accuracy}.
     *
     * @param file PNG, replaced if it exists
     */
    public static void write(Path file, String title, List<Curve> curves) throws IOException {
        write(file, title, "Epoch #", "Loss/Accuracy", curves);
    }

    public static void write(Path file, String title, String xTitle, String yTitle, List<Curve> curves)
            throws IOException {
        PngFile.write(file, BitmapEncoder.getBufferedImage(chart(title, xTitle, yTitle, curves)));
    }

    static XYChart chart(String title, String xTitle, String yTitle, List<Curve> curves) {
        Fonts.require();
        XYChart chart = new XYChartBuilder()
                .width(WIDTH)
                .height(HEIGHT)
                .title(title)
                .xAxisTitle(xTitle)
                .yAxisTitle(yTitle)
                .theme(ChartTheme.GGPlot2)
                .build();
        chart.getStyler().setXAxisDecimalPattern("#").setLegendPosition(LegendPosition.OutsideE);
        for (Curve curve : curves) {
            double[] epochs = new double[curve.values().size()];
            double[] values = new double[epochs.length];
            for (int i = 0; i < epochs.length; i++) {
                epochs[i] = i;
                values[i] = curve.values().get(i);
            }
            // A single epoch has no line to draw, only a point.
            chart.addSeries(curve.name(), epochs, values)
                    .setMarker(epochs.length == 1 ? SeriesMarkers.CIRCLE : SeriesMarkers.NONE);
        }
        return chart;
    }
}
