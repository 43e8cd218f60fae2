package tenon.io.synth;

/** A colour with channels from 0 to 1. */
record Color(float red, float green, float blue) {
    /** From hue (any number; whole turns do not matter), saturation and value, 0 to 1. */
    static Color hsv(float hue, float saturation, float value) {
        return new Color(
                channel(hue, saturation, value, 5),
                channel(hue, saturation, value, 3),
                channel(hue, saturation, value, 1));
    }

    private static float channel(float hue, float saturation, float value, int offset) {
        float turns = hue - (float) Math.floor(hue);
        float k = (offset + 6 * turns) % 6;
        return value * (1 - saturation * Math.clamp(Math.min(k, 4 - k), 0f, 1f));
    }
}
