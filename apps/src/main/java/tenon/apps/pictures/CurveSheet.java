package tenon.apps.pictures;

import java.awt.Color;
import java.awt.Graphics2D;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.style.Styler.ChartTheme;
import org.knowm.xchart.style.Styler.LegendPosition;
import org.knowm.xchart.style.lines.SeriesLines;
import org.knowm.xchart.style.markers.SeriesMarkers;

/** Panels of curves side by side, as PNG or SVG. */
public final class CurveSheet {
    private static final int WIDTH = 720;
    private static final int HEIGHT = 540;
    private static final Color[] COLORS = {
        new Color(0x1F77B4),
        new Color(0xD62728),
        new Color(0x2CA02C),
        new Color(0x9467BD),
        new Color(0xFF7F0E),
        new Color(0x17BECF),
        new Color(0x8C564B),
        new Color(0xE377C2)
    };

    /** How a curve is drawn. */
    public enum Stroke {
        SOLID,
        DASHED,
        /** Thin and pale: what was given up. */
        PALE,
        /** A level in grey to compare with. */
        LEVEL
    }

    /**
     * One curve.
     *
     * @param color number of its colour; curves of one run share it
     * @param y NaN leaves a gap
     */
    public record Curve(String name, int color, Stroke stroke, double[] x, double[] y) {}

    /** Curves that share their axes. */
    public record Panel(String title, String xTitle, String yTitle, List<Curve> curves) {}

    private CurveSheet() {}

    /** @param file {@code .png} or {@code .svg}, replaced if it exists */
    public static void write(Path file, List<Panel> panels) throws IOException {
        Fonts.require();
        List<XYChart> charts = panels.stream().map(CurveSheet::chart).toList();
        Drawing.write(file, WIDTH * charts.size(), HEIGHT, graphics -> paint(charts, graphics));
    }

    private static void paint(List<XYChart> charts, Graphics2D graphics) {
        for (XYChart chart : charts) {
            chart.paint(graphics, WIDTH, HEIGHT);
            graphics.translate(WIDTH, 0);
        }
    }

    private static XYChart chart(Panel panel) {
        XYChart chart = new XYChartBuilder()
                .width(WIDTH)
                .height(HEIGHT)
                .title(panel.title())
                .xAxisTitle(panel.xTitle())
                .yAxisTitle(panel.yTitle())
                .theme(ChartTheme.GGPlot2)
                .build();
        chart.getStyler().setXAxisDecimalPattern("#").setLegendPosition(LegendPosition.OutsideS);
        for (Curve curve : panel.curves()) {
            XYSeries series = chart.addSeries(curve.name(), curve.x(), curve.y());
            Color color = COLORS[curve.color() % COLORS.length];
            series.setMarker(curve.x().length == 1 ? SeriesMarkers.CIRCLE : SeriesMarkers.NONE);
            switch (curve.stroke()) {
                case SOLID ->
                    series.setLineColor(color).setLineStyle(SeriesLines.SOLID).setLineWidth(2f);
                case DASHED ->
                    series.setLineColor(color)
                            .setLineStyle(SeriesLines.DASH_DASH)
                            .setLineWidth(1.5f);
                case PALE ->
                    series.setLineColor(pale(color))
                            .setLineStyle(SeriesLines.SOLID)
                            .setLineWidth(1f);
                case LEVEL ->
                    series.setLineColor(Color.DARK_GRAY)
                            .setLineStyle(SeriesLines.DOT_DOT)
                            .setLineWidth(1.5f);
            }
            series.setMarkerColor(series.getLineColor());
        }
        return chart;
    }

    private static Color pale(Color color) {
        return new Color((color.getRed() + 510) / 3, (color.getGreen() + 510) / 3, (color.getBlue() + 510) / 3);
    }
}
