package tenon.apps.pictures;

import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.font.GlyphVector;
import java.awt.image.BufferedImage;
import java.util.Locale;

/** Writes a prediction onto a copy of a picture, as the tutorials do: red sans letters, the baseline beginning at (10, 30). */
public final class LabelDrawing {
    public static final int X = 10;
    public static final int Y = 30;
    /** Capital letters of OpenCV's plain stroke font at scale 0.7 are about 15 pixels high. */
    private static final float FONT_SIZE = 21;

    private LabelDrawing() {}

    /** {@code name: 55.87%}. */
    public static String text(String name, double probability) {
        return String.format(Locale.ROOT, "%s: %.2f%%", name, 100 * probability);
    }

    /** A copy of the picture, RGB, with the text on it. */
    public static BufferedImage draw(BufferedImage picture, String text) {
        BufferedImage copy = new BufferedImage(picture.getWidth(), picture.getHeight(), BufferedImage.TYPE_INT_RGB);
        Graphics2D graphics = copy.createGraphics();
        graphics.drawImage(picture, 0, 0, null);
        drawText(graphics, text, X, Y, FONT_SIZE, Color.RED);
        graphics.dispose();
        return copy;
    }

    static void drawText(Graphics2D target, String text, int x, int y, float size, Color color) {
        Fonts.require();
        Graphics2D graphics = (Graphics2D) target.create();
        graphics.setRenderingHint(RenderingHints.KEY_ANTIALIASING, RenderingHints.VALUE_ANTIALIAS_ON);
        Font font = new Font(Font.SANS_SERIF, Font.PLAIN, 1).deriveFont(size);
        GlyphVector glyphs = font.createGlyphVector(graphics.getFontRenderContext(), text);
        var outline = glyphs.getOutline(x, y);
        graphics.setColor(color);
        graphics.fill(outline);
        // Half a pixel around makes strokes two pixels wide at the size above.
        graphics.setStroke(new BasicStroke(size / 42));
        graphics.draw(outline);
        graphics.dispose();
    }
}
