package tenon.io.image;

/**
 * What a decoder made of a file, before colour management.
 *
 * @param components 1 grey, 3 R, G, B, or 4 C, M, Y, K with 255 for full ink
 * @param colors height·width·components bytes
 * @param opacity height·width bytes, or null where all is opaque
 */
record Pixels(int width, int height, int components, byte[] colors, byte[] opacity) {

    /** @param profile of the file, or null */
    Image toImage(byte[] profile, int channels) {
        IccTransform transform = IccTransform.of(profile, components);
        byte[] out = colors;
        int outComponents = components;
        if (transform != null) {
            out = transform.toRgb(colors, width);
            outComponents = 3;
        } else if (components == 4) {
            out = cmykToRgb(colors);
            outComponents = 3;
        }
        Image opaque = new Image(width, height, outComponents, out).withChannels(channels);
        if (channels == 4 && opacity != null) {
            byte[] rgba = opaque.pixels();
            for (int i = 0; i < opacity.length; i++) {
                rgba[4 * i + 3] = opacity[i];
            }
        }
        return opaque;
    }

    /** What OpenCV and others do without a profile: each ink takes its share of the light, R = (255 − C)·(255 − K) / 255. */
    private static byte[] cmykToRgb(byte[] cmyk) {
        byte[] rgb = new byte[cmyk.length / 4 * 3];
        int o = 0;
        for (int i = 0; i < cmyk.length; i += 4) {
            int light = 255 - (cmyk[i + 3] & 0xFF);
            for (int c = 0; c < 3; c++) {
                rgb[o++] = (byte) (((255 - (cmyk[i + c] & 0xFF)) * light + 127) / 255);
            }
        }
        return rgb;
    }
}
