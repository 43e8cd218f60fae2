package tenon.apps.pictures;

import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.util.List;

/** Pictures side by side at one scale, each with a caption below (left out where the machine has no font). */
public final class ContactSheet {
    private static final int MARGIN = 10;
    private static final int CAPTION = 20;
    private static final int LONGEST_SIDE = 256;
    /** Between the pictures: neither black nor white, which pictures may have at their edges. */
    private static final Color GROUND = new Color(0xB8, 0xC8, 0xD8);

    /** One picture. */
    public record Cell(BufferedImage picture, String caption) {}

    private ContactSheet() {}

    /**
     * Small pictures are enlarged, large ones shrunk, all by the same factor.
     *
     * @param columns cells per row
     */
    public static BufferedImage draw(List<Cell> cells, int columns) {
        int widest = 0;
        int tallest = 0;
        for (Cell cell : cells) {
            widest = Math.max(widest, cell.picture().getWidth());
            tallest = Math.max(tallest, cell.picture().getHeight());
        }
        double scale = (double) LONGEST_SIDE / Math.max(widest, tallest);
        if (scale > 1) {
            scale = Math.floor(scale);
        }
        int cellWidth = scaled(widest, scale) + MARGIN;
        int cellHeight = scaled(tallest, scale) + CAPTION + MARGIN;
        int rows = Math.ceilDiv(cells.size(), columns);
        BufferedImage sheet =
                new BufferedImage(MARGIN + columns * cellWidth, MARGIN + rows * cellHeight, BufferedImage.TYPE_INT_RGB);
        Graphics2D graphics = sheet.createGraphics();
        graphics.setRenderingHint(
                RenderingHints.KEY_INTERPOLATION,
                scale >= 1
                        ? RenderingHints.VALUE_INTERPOLATION_NEAREST_NEIGHBOR
                        : RenderingHints.VALUE_INTERPOLATION_BILINEAR);
        graphics.setColor(GROUND);
        graphics.fillRect(0, 0, sheet.getWidth(), sheet.getHeight());
        for (int i = 0; i < cells.size(); i++) {
            BufferedImage picture = cells.get(i).picture();
            int x = MARGIN + i % columns * cellWidth;
            int y = MARGIN + i / columns * cellHeight;
            int height = scaled(picture.getHeight(), scale);
            graphics.drawImage(picture, x, y, scaled(picture.getWidth(), scale), height, null);
            if (Fonts.available()) {
                LabelDrawing.drawText(graphics, cells.get(i).caption(), x, y + height + 15, 12, Color.BLACK);
            }
        }
        graphics.dispose();
        return sheet;
    }

    private static int scaled(int size, double scale) {
        return Math.max(1, (int) Math.round(size * scale));
    }
}
