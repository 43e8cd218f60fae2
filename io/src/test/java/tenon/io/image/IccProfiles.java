package tenon.io.image;

import java.awt.color.ColorSpace;
import java.awt.color.ICC_Profile;
import java.nio.ByteBuffer;
import java.util.Arrays;

/** Profiles whose conversions can be told by hand. */
final class IccProfiles {
    private IccProfiles() {}

    static byte[] sRgb() {
        return ICC_Profile.getInstance(ColorSpace.CS_sRGB).getData();
    }

    /** sRGB with its red and green primaries exchanged: (r, g, b) in it is (g, r, b) in sRGB. */
    static byte[] redAndGreenExchanged() {
        byte[] profile = sRgb();
        ByteBuffer tags = ByteBuffer.wrap(profile);
        for (int i = 0; i < tags.getInt(128); i++) {
            int at = 132 + 12 * i;
            if (tags.getInt(at) == sign("rXYZ")) {
                tags.putInt(at, sign("gXYZ"));
            } else if (tags.getInt(at) == sign("gXYZ")) {
                tags.putInt(at, sign("rXYZ"));
            }
        }
        return profile;
    }

    /** Grey values that are proportional to light. */
    static byte[] linearGrey() {
        return ICC_Profile.getInstance(ColorSpace.CS_GRAY).getData();
    }

    /** Inks of which any of C, M and Y leaves half of the lightness, and K nothing; between, lightness is linear. */
    static byte[] inks() {
        int tables = 4 * 256;
        int lut = 48 + tables + 16 * 3 + 3 * 256;
        ByteBuffer out = ByteBuffer.allocate(128 + 4 + 12 + lut);
        out.putInt(0, out.capacity()).putInt(8, 0x02400000);
        out.putInt(12, sign("prtr")).putInt(16, sign("CMYK")).putInt(20, sign("Lab "));
        out.putShort(24, (short) 2020).putShort(26, (short) 1).putShort(28, (short) 1);
        out.putInt(36, sign("acsp"));
        // D50
        out.putInt(68, 0xF6D6).putInt(72, 0x10000).putInt(76, 0xD32D);
        out.putInt(128, 1).putInt(132, sign("A2B0")).putInt(136, 144).putInt(140, lut);
        out.position(144);
        out.putInt(sign("mft1")).putInt(0).put(new byte[] {4, 3, 2, 0});
        for (int i = 0; i < 9; i++) {
            out.putInt(i % 4 == 0 ? 0x10000 : 0);
        }
        for (int i = 0; i < tables; i++) {
            out.put((byte) i);
        }
        for (int node = 0; node < 16; node++) {
            int lightness = (node & 1) == 1 ? 0 : node == 0 ? 255 : 128;
            out.put((byte) lightness).put((byte) 128).put((byte) 128);
        }
        for (int i = 0; i < 3 * 256; i++) {
            out.put((byte) i);
        }
        return out.array();
    }

    /** A profile whose header is right and whose tags point out of it. */
    static byte[] broken() {
        byte[] profile = sRgb();
        Arrays.fill(profile, 132, profile.length, (byte) 0x5A);
        return profile;
    }

    private static int sign(String four) {
        return ByteBuffer.wrap(ImageFiles.ascii(four)).getInt();
    }
}
