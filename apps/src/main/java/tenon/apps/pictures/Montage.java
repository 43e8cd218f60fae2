package tenon.apps.pictures;

import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.util.List;

/** Many pictures in rows of cells of one size, each with a caption. Pictures keep their proportions and fill their cells; {@link ContactSheet} keeps one scale. */
public final class Montage {
    public static final int PICTURE = 128;
    public static final int CELL_WIDTH = PICTURE + 12;
    public static final int CELL_HEIGHT = PICTURE + 28;
    public static final int MARGIN = 10;
    private static final float TEXT_SIZE = 12;
    private static final int MOST_LETTERS = 18;

    /** @param picture null draws a crossed-out cell: the picture cannot be read */
    public record Cell(BufferedImage picture, String caption) {}

    private Montage() {}

    /** @param columns cells per row */
    public static BufferedImage draw(List<Cell> cells, int columns) {
        int rows = Math.ceilDiv(cells.size(), columns);
        BufferedImage sheet = new BufferedImage(
                2 * MARGIN + columns * CELL_WIDTH, 2 * MARGIN + rows * CELL_HEIGHT, BufferedImage.TYPE_INT_RGB);
        Graphics2D graphics = sheet.createGraphics();
        graphics.setColor(Color.WHITE);
        graphics.fillRect(0, 0, sheet.getWidth(), sheet.getHeight());
        for (int i = 0; i < cells.size(); i++) {
            drawCell(graphics, cells.get(i), MARGIN + i % columns * CELL_WIDTH, MARGIN + i / columns * CELL_HEIGHT);
        }
        graphics.dispose();
        return sheet;
    }

    private static void drawCell(Graphics2D graphics, Cell cell, int x, int y) {
        BufferedImage picture = cell.picture();
        if (picture == null) {
            graphics.setColor(Color.RED);
            graphics.drawRect(x, y, PICTURE - 1, PICTURE - 1);
            graphics.drawLine(x, y, x + PICTURE - 1, y + PICTURE - 1);
            graphics.drawLine(x, y + PICTURE - 1, x + PICTURE - 1, y);
        } else {
            double scale = (double) PICTURE / Math.max(picture.getWidth(), picture.getHeight());
            int width = Math.max(1, (int) Math.round(picture.getWidth() * scale));
            int height = Math.max(1, (int) Math.round(picture.getHeight() * scale));
            graphics.setRenderingHint(
                    RenderingHints.KEY_INTERPOLATION,
                    scale > 1
                            ? RenderingHints.VALUE_INTERPOLATION_NEAREST_NEIGHBOR
                            : RenderingHints.VALUE_INTERPOLATION_BILINEAR);
            graphics.drawImage(picture, x + (PICTURE - width) / 2, y + (PICTURE - height) / 2, width, height, null);
        }
        if (Fonts.available()) {
            LabelDrawing.drawText(
                    graphics, shortened(cell.caption()), x, y + PICTURE + 15, TEXT_SIZE, new Color(0x20, 0x20, 0x20));
        }
    }

    private static String shortened(String caption) {
        return caption.length() <= MOST_LETTERS ? caption : caption.substring(0, MOST_LETTERS - 1) + "…";
    }
}
