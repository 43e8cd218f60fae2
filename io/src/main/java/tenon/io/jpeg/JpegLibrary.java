package tenon.io.jpeg;

import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tenon.engine.TenonException;
import tenon.io.image.ImageCodec;

/**
 * Who decodes JPEG files while training. Their pixels differ in the last bits, so {@link #description} belongs into a run's manifest. What a native
 * library refuses (CMYK, 12 bits, arithmetic coding, turned pictures, colour profiles, damage) goes to {@link ImageCodec}.
 */
public enum JpegLibrary {
    /** libjpeg-turbo, where it is installed (Debian: libturbojpeg0). */
    TURBO,
    /** stb_image, which is always there. */
    STB,
    /** ImageIO: no native code. */
    IMAGEIO;

    /** Chooses the library: {@code turbo}, {@code stb}, {@code imageio} or {@code auto}. */
    public static final String PROPERTY = "tenon.jpeg";

    private static final Logger LOG = LoggerFactory.getLogger(JpegLibrary.class);
    private static JpegLibrary logged;

    /** The one that {@link #PROPERTY} names; by default the fastest of those that load. */
    public static JpegLibrary preferred() {
        String named = System.getProperty(PROPERTY, "auto");
        return named.equals("auto") ? fastest() : named(named);
    }

    /**
     * The library called {@code name}, in lower case; {@code auto} is the preferred one.
     *
     * @throws TenonException when there is no such library, or it does not load here
     */
    public static JpegLibrary named(String name) {
        if (name.equals("auto")) {
            return preferred();
        }
        for (JpegLibrary library : values()) {
            if (library.toString().equals(name)) {
                library.problem().ifPresent(problem -> {
                    throw new TenonException("JPEG decoder '" + name + "' cannot be used: " + problem);
                });
                return library;
            }
        }
        throw new TenonException("JPEG decoder must be auto or one of " + List.of(values()) + ": given=" + name + " (-D"
                + PROPERTY + ")");
    }

    private static JpegLibrary fastest() {
        for (JpegLibrary library : values()) {
            if (library.problem().isEmpty()) {
                return library;
            }
        }
        throw new AssertionError("ImageIO is always there");
    }

    /** Why it cannot be used on this machine. */
    public Optional<String> problem() {
        return switch (this) {
            case TURBO -> TurboLibrary.problem();
            case STB -> StbDecoder.problem();
            case IMAGEIO -> Optional.empty();
        };
    }

    /** A decoder for one thread, or null when everything is left to {@link ImageCodec}. */
    public JpegDecoder open() {
        logOnce();
        return switch (this) {
            case TURBO -> new TurboDecoder();
            case STB -> new StbDecoder();
            case IMAGEIO -> null;
        };
    }

    private void logOnce() {
        synchronized (JpegLibrary.class) {
            if (logged != this) {
                logged = this;
                LOG.info("JPEG images are decoded by {}", description());
            }
        }
    }

    /** Name and version of what decodes JPEG files and, after a semicolon, of what decodes all others. */
    public String description() {
        return switch (this) {
            case TURBO -> TurboLibrary.version() + "; " + ImageCodec.name();
            case STB -> StbDecoder.version() + "; " + ImageCodec.name();
            case IMAGEIO -> ImageCodec.name();
        };
    }

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
