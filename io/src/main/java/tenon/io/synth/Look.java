package tenon.io.synth;

/**
 * What the things of one class have in common.
 *
 * @param hue of the main colour, 0 to 1 around the colour circle
 */
record Look(Outline outline, Texture texture, float hue, String name) {
    private static final String[] HUES = {
        "red", "vermilion", "orange", "amber", "yellow", "lime", "green", "emerald",
        "teal", "cyan", "azure", "blue", "indigo", "violet", "magenta", "crimson"
    };

    private static final int OUTLINES = Outline.values().length;
    private static final int TEXTURES = Texture.values().length;

    /** So many classes look different. */
    static final int COUNT = OUTLINES * TEXTURES * HUES.length;

    /** Classes that follow each other differ in outline, texture and hue; all {@link #COUNT} combinations occur once. */
    static Look of(int classIndex) {
        Outline outline = Outline.values()[classIndex % OUTLINES];
        int round = classIndex / OUTLINES;
        Texture texture = Texture.values()[(classIndex + round) % TEXTURES];
        int hue = (3 * classIndex + round / TEXTURES) % HUES.length;
        return new Look(outline, texture, (float) hue / HUES.length, HUES[hue] + "_" + texture + "_" + outline);
    }
}
