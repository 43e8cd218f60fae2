package tenon.apps.pictures;

import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.Shape;
import java.awt.font.FontRenderContext;
import java.awt.font.GlyphVector;
import java.awt.geom.AffineTransform;
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

    static void drawText(Graphics2D graphics, String text, int x, int y, float size, Color color) {
        draw(graphics, glyphs(text, size).getOutline(x, y), size, color);
    }

    /** A text that reads from bottom to top, its baseline beginning at (x, y). */
    static void drawUpwards(Graphics2D graphics, String text, int x, int y, float size, Color color) {
        AffineTransform turned = AffineTransform.getTranslateInstance(x, y);
        turned.rotate(-Math.PI / 2);
        draw(graphics, turned.createTransformedShape(glyphs(text, size).getOutline()), size, color);
    }

    private static void draw(Graphics2D target, Shape outline, float size, Color color) {
        Graphics2D graphics = (Graphics2D) target.create();
        graphics.setRenderingHint(RenderingHints.KEY_ANTIALIASING, RenderingHints.VALUE_ANTIALIAS_ON);
        graphics.setColor(color);
        graphics.fill(outline);
        // Half a pixel around makes strokes two pixels wide at the size above.
        graphics.setStroke(new BasicStroke(size / 42));
        graphics.draw(outline);
        graphics.dispose();
    }

    /** Width of a text in pixels. */
    static double width(String text, float size) {
        return glyphs(text, size).getLogicalBounds().getWidth();
    }

    /** The text, or as much of its beginning as fits the width, with an ellipsis. */
    static String shortened(String text, float size, double width) {
        if (width(text, size) <= width) {
            return text;
        }
        int letters = text.length() - 1;
        while (letters > 0 && width(text.substring(0, letters) + "…", size) > width) {
            letters--;
        }
        return text.substring(0, letters) + "…";
    }

    private static GlyphVector glyphs(String text, float size) {
        Fonts.require();
        Font font = new Font(Font.SANS_SERIF, Font.PLAIN, 1).deriveFont(size);
        return font.createGlyphVector(new FontRenderContext(null, true, true), text);
    }
}
