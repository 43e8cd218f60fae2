package tenon.apps.pictures;

import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.geom.Rectangle2D;
import java.awt.image.BufferedImage;
import java.util.List;
import tenon.io.record.Label;

/** Draws boxes onto a copy of a picture: a colour for each class, dashed where a flag is set, with the class's name where there is room and a font. */
public final class BoxDrawing {
    /** Pictures with a shorter side below this get no names. */
    private static final int ROOM_FOR_TEXT = 100;

    private static final float TEXT_SIZE = 13;

    private BoxDrawing() {}

    /** Neighbouring class numbers get hues far apart: each is a golden section of the circle further. */
    public static Color color(int classIndex) {
        double hue = classIndex * 0.6180339887;
        return Color.getHSBColor((float) (hue - Math.floor(hue)), 1, 1);
    }

    /**
     * @param boxes in pixels of the picture
     * @param classNames in the order of the class indices
     */
    public static BufferedImage draw(BufferedImage picture, List<Label.Box> boxes, List<String> classNames) {
        BufferedImage copy = new BufferedImage(picture.getWidth(), picture.getHeight(), BufferedImage.TYPE_INT_RGB);
        Graphics2D graphics = copy.createGraphics();
        graphics.drawImage(picture, 0, 0, null);
        int side = Math.min(picture.getWidth(), picture.getHeight());
        float line = Math.max(1, side / 150);
        for (Label.Box box : boxes) {
            graphics.setColor(color(box.classIndex()));
            graphics.setStroke(
                    box.flags() == 0
                            ? new BasicStroke(line)
                            : new BasicStroke(
                                    line, BasicStroke.CAP_BUTT, BasicStroke.JOIN_MITER, 10, new float[] {4 * line}, 0));
            graphics.draw(new Rectangle2D.Float(box.x0(), box.y0(), box.x1() - box.x0(), box.y1() - box.y0()));
            if (side >= ROOM_FOR_TEXT && Fonts.available()) {
                int baseline = Math.round(Math.max(box.y0() - 3 - line, TEXT_SIZE));
                LabelDrawing.drawText(
                        graphics,
                        classNames.get(box.classIndex()),
                        Math.round(Math.max(0, box.x0())),
                        baseline,
                        TEXT_SIZE,
                        color(box.classIndex()));
            }
        }
        graphics.dispose();
        return copy;
    }
}
