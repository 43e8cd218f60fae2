package tenon.apps.pictures;

import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.util.List;

/** Pictures in rows, each with lines of text below, which are left out where the machine has no font. */
public final class ContactSheet {
    /** Around the sheet and between its cells. */
    public static final int MARGIN = 10;

    private static final int LINE_HEIGHT = 15;
    private static final int BELOW_TEXT = 5;
    private static final float TEXT_SIZE = 12;
    private static final Color INK = new Color(0x20, 0x20, 0x20);
    private static final Color RIGHT = new Color(0x20, 0x60, 0x20);
    private static final Color WRONG = new Color(0xD0, 0x10, 0x10);

    /** How pictures are scaled. */
    public enum Scale {
        /** Each by itself, with its proportions, until it fills a square of 128 pixels, or by the largest whole number until it nearly does. On white. */
        EACH(128, Color.WHITE),
        /** All by one factor, so that the longest side is 256 pixels. On what is neither black nor white, which pictures may have at their edges. */
        ALL_ALIKE(256, new Color(0xB8, 0xC8, 0xD8));

        private final int side;
        private final Color ground;

        Scale(int side, Color ground) {
            this.side = side;
            this.ground = ground;
        }

        /** Longest side of a picture on the sheet. */
        public int side() {
            return side;
        }
    }

    /** A line of text. */
    public record Line(String text, Color color) {}

    /**
     * One picture.
     *
     * @param picture null draws a crossed-out square: the picture cannot be read
     * @param lines below it
     * @param frame around it, or null
     */
    public record Cell(BufferedImage picture, List<Line> lines, Color frame) {
        public static Cell of(BufferedImage picture, String caption) {
            return new Cell(picture, List.of(new Line(caption, INK)), null);
        }

        /** What a network said about a picture: green, or red, framed and with the truth below where it was wrong. */
        public static Cell judged(BufferedImage picture, String said, String truth, boolean right) {
            return right
                    ? new Cell(picture, List.of(new Line(said, RIGHT)), null)
                    : new Cell(picture, List.of(new Line(said, WRONG), new Line("(" + truth + ")", WRONG)), WRONG);
        }
    }

    private final Scale scale;
    private final double common;
    private final int boxWidth;
    private final int boxHeight;
    private final int captionHeight;

    private ContactSheet(List<Cell> cells, Scale scale) {
        this.scale = scale;
        int widest = 1;
        int tallest = 1;
        int lines = 0;
        for (Cell cell : cells) {
            if (cell.picture() != null) {
                widest = Math.max(widest, cell.picture().getWidth());
                tallest = Math.max(tallest, cell.picture().getHeight());
            }
            lines = Math.max(lines, cell.lines().size());
        }
        common = factor(widest, tallest);
        boxWidth = scale == Scale.EACH ? scale.side : scaled(widest, common);
        boxHeight = scale == Scale.EACH ? scale.side : scaled(tallest, common);
        captionHeight = lines * LINE_HEIGHT + BELOW_TEXT;
    }

    /** @param columns cells per row */
    public static BufferedImage draw(List<Cell> cells, int columns, Scale scale) {
        return new ContactSheet(cells, scale).draw(cells, columns);
    }

    private BufferedImage draw(List<Cell> cells, int columns) {
        int rows = Math.ceilDiv(cells.size(), columns);
        BufferedImage sheet = new BufferedImage(
                MARGIN + columns * (boxWidth + MARGIN),
                MARGIN + rows * (boxHeight + captionHeight + MARGIN),
                BufferedImage.TYPE_INT_RGB);
        Graphics2D graphics = sheet.createGraphics();
        graphics.setColor(scale.ground);
        graphics.fillRect(0, 0, sheet.getWidth(), sheet.getHeight());
        for (int i = 0; i < cells.size(); i++) {
            int x = MARGIN + i % columns * (boxWidth + MARGIN);
            int y = MARGIN + i / columns * (boxHeight + captionHeight + MARGIN);
            int below = drawPicture(graphics, cells.get(i), x, y);
            drawLines(graphics, cells.get(i).lines(), x, below);
        }
        graphics.dispose();
        return sheet;
    }

    /** @return where the text begins */
    private int drawPicture(Graphics2D graphics, Cell cell, int x, int y) {
        BufferedImage picture = cell.picture();
        if (picture == null) {
            graphics.setColor(Color.RED);
            graphics.drawRect(x, y, boxWidth - 1, boxHeight - 1);
            graphics.drawLine(x, y, x + boxWidth - 1, y + boxHeight - 1);
            graphics.drawLine(x, y + boxHeight - 1, x + boxWidth - 1, y);
            return y + boxHeight;
        }
        boolean each = scale == Scale.EACH;
        double factor = each ? factor(picture.getWidth(), picture.getHeight()) : common;
        int width = scaled(picture.getWidth(), factor);
        int height = scaled(picture.getHeight(), factor);
        int left = each ? x + (boxWidth - width) / 2 : x;
        int top = each ? y + (boxHeight - height) / 2 : y;
        graphics.setRenderingHint(
                RenderingHints.KEY_INTERPOLATION,
                factor >= 1
                        ? RenderingHints.VALUE_INTERPOLATION_NEAREST_NEIGHBOR
                        : RenderingHints.VALUE_INTERPOLATION_BILINEAR);
        graphics.drawImage(picture, left, top, width, height, null);
        if (cell.frame() != null) {
            graphics.setColor(cell.frame());
            graphics.drawRect(left - 1, top - 1, width + 1, height + 1);
            graphics.drawRect(left - 2, top - 2, width + 3, height + 3);
        }
        return each ? y + boxHeight : top + height;
    }

    private void drawLines(Graphics2D graphics, List<Line> lines, int x, int y) {
        for (int i = 0; i < lines.size() && Fonts.available(); i++) {
            LabelDrawing.drawText(
                    graphics,
                    LabelDrawing.shortened(lines.get(i).text(), TEXT_SIZE, boxWidth),
                    x,
                    y + (i + 1) * LINE_HEIGHT,
                    TEXT_SIZE,
                    lines.get(i).color());
        }
    }

    private double factor(int width, int height) {
        double factor = (double) scale.side / Math.max(width, height);
        // Whole factors show pixels of one size.
        return factor > 1 ? Math.floor(factor) : factor;
    }

    private static int scaled(int size, double factor) {
        return Math.max(1, (int) Math.round(size * factor));
    }
}
