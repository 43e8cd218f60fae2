package tenon.apps.pictures;

import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.util.List;

/**
 * A picture and, on black to its right, a red bar for each of the likeliest classes, with name and probability in white. A bar of probability p is at row 35·i + 5, 30
 * pixels high, and ends at column 5 + ⌊300·p⌋ of the black part, which is 310 wide.
 */
public final class PredictionBars {
    static final int PANEL_WIDTH = 310;
    static final int BAR_STEP = 35;
    private static final int BAR_HEIGHT = 30;
    private static final int INSET = 5;
    private static final int FULL = 300;
    private static final float TEXT_SIZE = 14;
    /** Pictures whose longer side is shorter are enlarged by a whole number, as long as they stay within it. */
    private static final int SMALL = 256;

    /** One bar. */
    public record Bar(String name, double probability) {}

    private PredictionBars() {}

    /** @param bars from the top down */
    public static BufferedImage draw(BufferedImage picture, List<Bar> bars) {
        int factor = Math.max(1, SMALL / Math.max(picture.getWidth(), picture.getHeight()));
        int width = picture.getWidth() * factor;
        int height = picture.getHeight() * factor;
        BufferedImage drawn = new BufferedImage(
                width + PANEL_WIDTH, Math.max(height, BAR_STEP * bars.size() + INSET), BufferedImage.TYPE_INT_RGB);
        Graphics2D graphics = drawn.createGraphics();
        graphics.setRenderingHint(
                RenderingHints.KEY_INTERPOLATION, RenderingHints.VALUE_INTERPOLATION_NEAREST_NEIGHBOR);
        graphics.drawImage(picture, 0, 0, width, height, null);
        for (int i = 0; i < bars.size(); i++) {
            Bar bar = bars.get(i);
            int top = BAR_STEP * i + INSET;
            graphics.setColor(Color.RED);
            graphics.fillRect(width + INSET, top, (int) (FULL * bar.probability()), BAR_HEIGHT);
            String probability = LabelDrawing.text("", bar.probability());
            String name = LabelDrawing.shortened(
                    bar.name(), TEXT_SIZE, FULL - 2 * INSET - LabelDrawing.width(probability, TEXT_SIZE));
            LabelDrawing.drawText(graphics, name + probability, width + 2 * INSET, top + 20, TEXT_SIZE, Color.WHITE);
        }
        graphics.dispose();
        return drawn;
    }
}
