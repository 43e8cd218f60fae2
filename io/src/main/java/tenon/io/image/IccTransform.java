package tenon.io.image;

import java.awt.color.CMMException;
import java.awt.color.ColorSpace;
import java.awt.color.ICC_ColorSpace;
import java.awt.color.ICC_Profile;
import java.awt.color.ProfileDataException;
import java.awt.image.ColorConvertOp;
import java.awt.image.DataBuffer;
import java.awt.image.DataBufferByte;
import java.awt.image.Raster;
import java.awt.image.WritableRaster;
import java.nio.ByteBuffer;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/** From the colours of an ICC profile to sRGB, which networks' pictures are in. Safe for any number of threads. */
final class IccTransform {
    /** Most files of a data set share a handful of profiles. */
    private static final int CACHED = 16;
    /** A profile that moves no colour by more than this is sRGB, of which many variants go round. */
    private static final int SAME = 2;

    private static final Map<ByteBuffer, Optional<IccTransform>> CACHE = new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<ByteBuffer, Optional<IccTransform>> eldest) {
            return size() > CACHED;
        }
    };

    private final int components;
    /** An operation caches state while it runs, so each thread has its own. */
    private final ThreadLocal<ColorConvertOp> operation;

    private IccTransform(ICC_Profile profile) {
        components = profile.getNumComponents();
        ICC_ColorSpace space = new ICC_ColorSpace(profile);
        operation = ThreadLocal.withInitial(
                () -> new ColorConvertOp(space, ColorSpace.getInstance(ColorSpace.CS_sRGB), null));
    }

    /**
     * The transform from a file's profile, or null when nothing is to be done: there is no profile, it is broken (as browsers do, the pixels are
     * then taken as sRGB), it is for another number of components, or it is sRGB.
     */
    static IccTransform of(byte[] profile, int components) {
        if (profile == null) {
            return null;
        }
        Optional<IccTransform> found;
        synchronized (CACHE) {
            found = CACHE.get(ByteBuffer.wrap(profile));
        }
        if (found == null) {
            found = Optional.ofNullable(make(profile));
            synchronized (CACHE) {
                CACHE.put(ByteBuffer.wrap(profile), found);
            }
        }
        return found.filter(transform -> transform.components == components).orElse(null);
    }

    private static IccTransform make(byte[] bytes) {
        try {
            ICC_Profile profile = ICC_Profile.getInstance(bytes);
            int components = profile.getNumComponents();
            if (components != 1 && components != 3 && components != 4) {
                return null;
            }
            IccTransform transform = new IccTransform(profile);
            return transform.isIdentity() ? null : transform;
        } catch (CMMException | ProfileDataException | IllegalArgumentException | IllegalStateException e) {
            return null;
        }
    }

    private boolean isIdentity() {
        // All combinations of five levels; the transform is tried for a profile of inks, too, though it cannot be the
        // identity.
        int count = (int) Math.pow(5, components);
        byte[] probe = new byte[count * components];
        for (int i = 0; i < count; i++) {
            int rest = i;
            for (int c = 0; c < components; c++) {
                probe[i * components + c] = (byte) (rest % 5 * 255 / 4);
                rest /= 5;
            }
        }
        byte[] rgb = toRgb(probe, count);
        if (components == 4) {
            return false;
        }
        for (int i = 0; i < count; i++) {
            for (int c = 0; c < 3; c++) {
                int before = probe[i * components + (components == 1 ? 0 : c)] & 0xFF;
                if (Math.abs((rgb[3 * i + c] & 0xFF) - before) > SAME) {
                    return false;
                }
            }
        }
        return true;
    }

    /** @param width pixels of a row; {@code colors} has whole rows */
    byte[] toRgb(byte[] colors, int width) {
        int height = colors.length / (width * components);
        byte[] rgb = new byte[width * height * 3];
        operation.get().filter(raster(colors, width, height, components), raster(rgb, width, height, 3));
        return rgb;
    }

    private static WritableRaster raster(byte[] pixels, int width, int height, int bands) {
        int[] offsets = new int[bands];
        for (int b = 0; b < bands; b++) {
            offsets[b] = b;
        }
        DataBuffer buffer = new DataBufferByte(pixels, pixels.length);
        return Raster.createInterleavedRaster(buffer, width, height, width * bands, bands, offsets, null);
    }
}
