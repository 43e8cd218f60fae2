package tenon.apps.pictures;

import java.awt.Font;
import java.awt.font.FontRenderContext;
import java.awt.geom.AffineTransform;
import tenon.engine.TenonException;

/** Whether this machine can draw text: Java needs fontconfig and at least one font. */
public final class Fonts {
    private static final String FAILURE = probe();

    private Fonts() {}

    private static String probe() {
        try {
            // Shaping one letter loads everything that drawing text does.
            Font font = new Font(Font.SANS_SERIF, Font.PLAIN, 12);
            font.createGlyphVector(new FontRenderContext(new AffineTransform(), true, true), "A")
                    .getVisualBounds();
            return null;
        } catch (RuntimeException | Error e) {
            return String.valueOf(e.getMessage());
        }
    }

    public static boolean available() {
        return FAILURE == null;
    }

    /** Throws with what to install unless text can be drawn. */
    public static void require() {
        if (FAILURE != null) {
            throw new TenonException("drawing text needs a font, and this machine has none that Java finds (" + FAILURE
                    + "): install fontconfig and a font, e.g. apt-get install fontconfig fonts-dejavu-core");
        }
    }
}
