package tenon.apps.pictures;

import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.util.List;

/** A sheet of small pictures with what the network said below each; wrong answers are red and name the right class too. */
public final class PredictionGrid {
    private static final int CELL_WIDTH = 140;
    private static final int PICTURE = 112;
    private static final int CELL_HEIGHT = 160;
    private static final int MARGIN = 10;
    private static final Color RIGHT = new Color(0x20, 0x60, 0x20);
    private static final Color WRONG = new Color(0xD0, 0x10, 0x10);

    /** One cell. */
    public record Cell(BufferedImage picture, String predicted, String actual) {
        boolean correct() {
            return predicted.equals(actual);
        }
    }

    private PredictionGrid() {}

    /** @param columns cells per row */
    public static BufferedImage draw(List<Cell> cells, int columns) {
        int rows = Math.ceilDiv(cells.size(), columns);
        BufferedImage sheet = new BufferedImage(
                2 * MARGIN + columns * CELL_WIDTH, 2 * MARGIN + rows * CELL_HEIGHT, BufferedImage.TYPE_INT_RGB);
        Graphics2D graphics = sheet.createGraphics();
        graphics.setRenderingHint(
                RenderingHints.KEY_INTERPOLATION, RenderingHints.VALUE_INTERPOLATION_NEAREST_NEIGHBOR);
        graphics.setColor(Color.WHITE);
        graphics.fillRect(0, 0, sheet.getWidth(), sheet.getHeight());
        for (int i = 0; i < cells.size(); i++) {
            drawCell(graphics, cells.get(i), MARGIN + i % columns * CELL_WIDTH, MARGIN + i / columns * CELL_HEIGHT);
        }
        graphics.dispose();
        return sheet;
    }

    private static void drawCell(Graphics2D graphics, Cell cell, int x, int y) {
        int left = x + (CELL_WIDTH - PICTURE) / 2;
        graphics.drawImage(cell.picture(), left, y, PICTURE, PICTURE, null);
        Color color = cell.correct() ? RIGHT : WRONG;
        if (!cell.correct()) {
            graphics.setColor(color);
            graphics.drawRect(left - 1, y - 1, PICTURE + 1, PICTURE + 1);
            graphics.drawRect(left - 2, y - 2, PICTURE + 3, PICTURE + 3);
            LabelDrawing.drawText(graphics, "(" + cell.actual() + ")", left, y + PICTURE + 30, 12, color);
        }
        LabelDrawing.drawText(graphics, cell.predicted(), left, y + PICTURE + 15, 12, color);
    }
}
