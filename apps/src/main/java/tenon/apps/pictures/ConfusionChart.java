package tenon.apps.pictures;

import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import tenon.optim.metrics.ConfusionMatrix;

/**
 * A confusion matrix as a picture: rows are true classes, columns predicted ones, and a cell's colour is its share of its row, on a scale of square roots, so that
 * rare confusions can be seen. Few classes have names, and counts where they fit; many have axes with class indices.
 */
public final class ConfusionChart {
    /** With more classes than these there are indices instead of names. */
    public static final int MOST_NAMED = 60;

    private static final int MARGIN = 16;
    private static final int LONGEST_NAME = 150;
    /** Side of the matrix, nearly, where classes have no names. */
    private static final int SIDE = 900;

    private static final int BAR = 16;
    private static final float TEXT = 12;
    private static final float COUNT_TEXT = 11;
    private static final double[] BAR_TICKS = {0, 0.01, 0.05, 0.1, 0.25, 0.5, 1};
    private static final Color INK = new Color(0x20, 0x20, 0x20);
    private static final Color GRID = new Color(0xD8, 0xD8, 0xD8);
    /** Of a row without samples. */
    private static final Color NOTHING = new Color(0xEC, 0xEC, 0xEC);
    /** Of a whole row in one cell. */
    private static final Color ALL = new Color(0x08, 0x30, 0x6B);

    private final ConfusionMatrix matrix;
    private final List<String> names;
    private final int classes;
    private final boolean named;
    private final int cell;
    private final int side;
    private final int labelSpace;
    private final int left;

    private ConfusionChart(ConfusionMatrix matrix, List<String> names) {
        this.matrix = matrix;
        classes = matrix.classes();
        named = classes <= MOST_NAMED;
        cell = named ? classes <= 12 ? 52 : classes <= 30 ? 32 : 18 : Math.max(1, SIDE / classes);
        side = classes * cell;
        this.names = named
                ? names.stream()
                        .map(name -> LabelDrawing.shortened(name, TEXT, LONGEST_NAME))
                        .toList()
                : names;
        labelSpace = (int) Math.ceil(
                named
                        ? this.names.stream()
                                .mapToDouble(name -> LabelDrawing.width(name, TEXT))
                                .max()
                                .orElse(0)
                        : LabelDrawing.width(Integer.toString(classes), TEXT) + 4);
        left = MARGIN + 20 + labelSpace + 6;
    }

    /**
     * @param file {@code .png} or {@code .svg}, replaced if it exists
     * @param names of the classes, in the order of their indices
     */
    public static void write(Path file, ConfusionMatrix matrix, List<String> names) throws IOException {
        ConfusionChart chart = new ConfusionChart(matrix, names);
        Drawing.write(file, chart.width(), chart.height(), chart::paint);
    }

    private int width() {
        return left + side + 20 + BAR + 50 + MARGIN;
    }

    private int height() {
        return MARGIN + side + 6 + labelSpace + 24 + MARGIN;
    }

    private void paint(Graphics2D graphics) {
        graphics.setColor(Color.WHITE);
        graphics.fillRect(0, 0, width(), height());
        if (named) {
            paintCells(graphics);
            for (int i = 0; i < classes; i++) {
                label(graphics, names.get(i), i);
            }
        } else {
            paintMany(graphics);
            for (int i = 0; i < classes; i += tickStep(classes)) {
                graphics.setColor(INK);
                int middle = i * cell + cell / 2;
                graphics.drawLine(left - 4, MARGIN + middle, left - 1, MARGIN + middle);
                graphics.drawLine(left + middle, MARGIN + side, left + middle, MARGIN + side + 3);
                label(graphics, Integer.toString(i), i);
            }
        }
        graphics.setColor(INK);
        graphics.drawRect(left - 1, MARGIN - 1, side + 1, side + 1);
        String across = "predicted class";
        LabelDrawing.drawText(
                graphics,
                across,
                left + (int) (side - LabelDrawing.width(across, TEXT)) / 2,
                height() - MARGIN,
                TEXT,
                INK);
        String down = "true class";
        LabelDrawing.drawUpwards(
                graphics, down, MARGIN + 10, MARGIN + (int) (side + LabelDrawing.width(down, TEXT)) / 2, TEXT, INK);
        paintBar(graphics);
    }

    private void paintCells(Graphics2D graphics) {
        for (int i = 0; i < classes; i++) {
            for (int j = 0; j < classes; j++) {
                int x = left + j * cell;
                int y = MARGIN + i * cell;
                graphics.setColor(color(i, j));
                graphics.fillRect(x, y, cell, cell);
                graphics.setColor(GRID);
                graphics.drawRect(x, y, cell - 1, cell - 1);
                String count = Long.toString(matrix.count(i, j));
                double width = LabelDrawing.width(count, COUNT_TEXT);
                if (matrix.count(i, j) > 0 && width <= cell - 4) {
                    boolean dark = Math.sqrt(share(i, j)) > 0.5;
                    LabelDrawing.drawText(
                            graphics,
                            count,
                            x + (int) Math.round((cell - width) / 2),
                            y + cell / 2 + 4,
                            COUNT_TEXT,
                            dark ? Color.WHITE : INK);
                }
            }
        }
    }

    private void paintMany(Graphics2D graphics) {
        BufferedImage cells = new BufferedImage(classes, classes, BufferedImage.TYPE_INT_RGB);
        for (int i = 0; i < classes; i++) {
            for (int j = 0; j < classes; j++) {
                cells.setRGB(j, i, color(i, j).getRGB());
            }
        }
        graphics.setRenderingHint(
                RenderingHints.KEY_INTERPOLATION, RenderingHints.VALUE_INTERPOLATION_NEAREST_NEIGHBOR);
        graphics.drawImage(cells, left, MARGIN, side, side, null);
    }

    /** A class's label on both axes. */
    private void label(Graphics2D graphics, String text, int index) {
        double width = LabelDrawing.width(text, TEXT);
        int middle = MARGIN + index * cell + cell / 2 + 4;
        LabelDrawing.drawText(graphics, text, left - 6 - (int) Math.ceil(width), middle, TEXT, INK);
        LabelDrawing.drawUpwards(
                graphics,
                text,
                left + index * cell + cell / 2 + 4,
                MARGIN + side + 6 + (int) Math.ceil(width),
                TEXT,
                INK);
    }

    private void paintBar(Graphics2D graphics) {
        int x = left + side + 20;
        int length = Math.min(side, 300);
        for (int i = 0; i < length; i++) {
            double root = 1 - (i + 0.5) / length;
            graphics.setColor(color(root * root));
            graphics.fillRect(x, MARGIN + i, BAR, 1);
        }
        graphics.setColor(INK);
        graphics.drawRect(x - 1, MARGIN - 1, BAR + 1, length + 1);
        for (double tick : BAR_TICKS) {
            int y = MARGIN + (int) Math.round((1 - Math.sqrt(tick)) * length);
            LabelDrawing.drawText(
                    graphics, String.format(Locale.ROOT, "%.0f %%", 100 * tick), x + BAR + 5, y + 4, COUNT_TEXT, INK);
        }
    }

    private double share(int actual, int predicted) {
        return (double) matrix.count(actual, predicted) / matrix.actual(actual);
    }

    private Color color(int actual, int predicted) {
        double share = share(actual, predicted);
        return Double.isNaN(share) ? NOTHING : color(share);
    }

    /** White for nothing. */
    static Color color(double share) {
        double root = Math.sqrt(share);
        return new Color(mix(ALL.getRed(), root), mix(ALL.getGreen(), root), mix(ALL.getBlue(), root));
    }

    private static int mix(int full, double root) {
        return (int) Math.round(255 + (full - 255) * root);
    }

    /** 1, 2 or 5 times a power of ten, so that there are at most ten ticks. */
    static int tickStep(int classes) {
        int power = 1;
        while (true) {
            for (int factor : new int[] {1, 2, 5}) {
                if (classes <= 10 * factor * power) {
                    return factor * power;
                }
            }
            power *= 10;
        }
    }
}
