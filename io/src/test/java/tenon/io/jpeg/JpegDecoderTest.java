package tenon.io.jpeg;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import tenon.engine.TenonException;
import tenon.io.image.Image;
import tenon.io.image.ImageCodec;
import tenon.io.jpeg.JpegPictures.Kind;

class JpegDecoderTest {
    private static JpegDecoder open(JpegLibrary library) {
        // Shown with the reason in the report: what to install.
        assumeTrue(library.problem().isEmpty(), () -> library.problem().orElseThrow());
        return library.open();
    }

    static List<Arguments> cases() {
        List<Arguments> cases = new ArrayList<>();
        for (JpegLibrary library : new JpegLibrary[] {JpegLibrary.TURBO, JpegLibrary.STB}) {
            for (Kind kind : Kind.values()) {
                cases.add(Arguments.of(library, kind));
            }
        }
        return cases;
    }

    private static byte[] decode(JpegDecoder decoder, byte[] file, int channels) {
        JpegHeader header = new JpegHeader();
        assertThat(header.read(file, file.length)).isTrue();
        return decode(decoder, file, channels, 0, 0, header.height(), header.width());
    }

    private static byte[] decode(
            JpegDecoder decoder, byte[] file, int channels, int top, int left, int bottom, int right) {
        JpegHeader header = new JpegHeader();
        assertThat(header.read(file, file.length)).isTrue();
        assertThat(decoder.decode(file, file.length, header, channels, new Region().set(top, left, bottom, right)))
                .withFailMessage(decoder::complaint)
                .isTrue();
        byte[] pixels = new byte[(bottom - top) * (right - left) * channels];
        int o = 0;
        for (int y = top; y < bottom; y++) {
            for (int i = left * channels; i < right * channels; i++) {
                pixels[o++] = decoder.memory().get(ValueLayout.JAVA_BYTE, decoder.offset() + y * decoder.stride() + i);
            }
        }
        return pixels;
    }

    @ParameterizedTest
    @MethodSource("cases")
    void pixelsAreThoseOfImageIoButForRounding(JpegLibrary library, Kind kind) {
        try (JpegDecoder decoder = open(library)) {
            byte[] file = JpegPictures.file(kind, 83, 61, 4);
            Image expected = ImageCodec.decode(file, "test");
            byte[] pixels = decode(decoder, file, 3);
            assertClose(pixels, expected.pixels());
            assertClose(decode(decoder, file, 1), expected.withChannels(1).pixels());
        }
    }

    /** Decoders differ in the inverse DCT's rounding and in how they interpolate colours. */
    private static void assertClose(byte[] given, byte[] expected) {
        assertThat(given).hasSameSizeAs(expected);
        double sum = 0;
        for (int i = 0; i < given.length; i++) {
            int difference = Math.abs((given[i] & 0xFF) - (expected[i] & 0xFF));
            assertThat(difference).isLessThan(20);
            sum += difference;
        }
        assertThat(sum / given.length).isLessThan(1);
    }

    @ParameterizedTest
    @MethodSource("cases")
    void aRegionHasThePixelsOfTheWholePicture(JpegLibrary library, Kind kind) {
        Random random = new Random(4);
        try (JpegDecoder decoder = open(library)) {
            for (int height : new int[] {16, 95, 96, 97}) {
                int width = 75 + height / 2;
                byte[] file = JpegPictures.file(kind, width, height, height);
                for (int channels : new int[] {1, 3}) {
                    Image whole = new Image(width, height, channels, decode(decoder, file, channels));
                    for (int i = 0; i < 60; i++) {
                        int top = random.nextInt(height);
                        int left = random.nextInt(width);
                        int bottom = top + 1 + random.nextInt(height - top);
                        int right = left + 1 + random.nextInt(width - left);
                        assertThat(decode(decoder, file, channels, top, left, bottom, right))
                                .as("rows %d to %d, columns %d to %d", top, bottom, left, right)
                                .isEqualTo(cut(whole, top, left, bottom, right));
                    }
                }
            }
        }
    }

    private static byte[] cut(Image image, int top, int left, int bottom, int right) {
        int rowBytes = (right - left) * image.channels();
        byte[] out = new byte[(bottom - top) * rowBytes];
        for (int y = top; y < bottom; y++) {
            System.arraycopy(
                    image.pixels(), (y * image.width() + left) * image.channels(), out, (y - top) * rowBytes, rowBytes);
        }
        return out;
    }

    @Test
    void turboRefusesDamagedData() {
        try (JpegDecoder decoder = open(JpegLibrary.TURBO)) {
            byte[] file = JpegPictures.halved(JpegPictures.file(Kind.COLOR_420, 75, 96, 1));
            JpegHeader header = new JpegHeader();
            assertThat(header.read(file, file.length)).isTrue();
            for (int bottom : new int[] {96, 80}) {
                assertThat(decoder.decode(file, file.length, header, 3, new Region().set(0, 0, bottom, 75)))
                        .isFalse();
                assertThat(decoder.complaint()).contains("libjpeg-turbo: ").contains("premature end");
            }
        }
    }

    @Test
    void aRegionOfAFileWithMissingScansHasNothingOfThePictureBefore() {
        byte[] file = JpegPictures.withoutColours(JpegPictures.file(Kind.GREY, 40, 96, 1));
        try (JpegDecoder decoder = open(JpegLibrary.TURBO)) {
            byte[] whole = decode(decoder, file, 3);
            decode(decoder, JpegPictures.file(Kind.COLOR_444, 40, 96, 2), 3);
            assertThat(decode(decoder, file, 3, 0, 0, 16, 40)).isEqualTo(Arrays.copyOf(whole, 16 * 40 * 3));
        }
    }

    @ParameterizedTest
    @EnumSource(JpegLibrary.class)
    void aLibrarySaysWhatItIs(JpegLibrary library) {
        assumeTrue(library.problem().isEmpty(), () -> library.problem().orElseThrow());
        assertThat(JpegLibrary.named(library.toString())).isEqualTo(library);
        String expected = switch (library) {
            case TURBO -> "libjpeg-turbo [0-9]+\\.[0-9.]+ \\(build [0-9]+\\); .+";
            case STB -> "stb_image of LWJGL [0-9]+\\.[0-9]+\\.[0-9]+; .+";
            case IMAGEIO -> "imageio.+";
        };
        assertThat(library.description()).matches(expected).endsWith(ImageCodec.name());
    }

    /** Version 1.5, which long-lived distributions have, is no library to decode with, and must not end the program. */
    @Test
    void turboOfVersion1IsFoundOutWhenItIsLoaded() {
        SymbolLookup version1 =
                name -> name.equals("tjGetErrorStr2") ? Optional.empty() : Optional.of(MemorySegment.NULL);
        assertThat(TurboLibrary.missing(version1)).contains("tjGetErrorStr2");
        assertThat(TurboLibrary.missing(_ -> Optional.of(MemorySegment.NULL))).isEmpty();
    }

    @Test
    void thePropertyChoosesAndAWrongNameIsRefused() {
        try {
            System.setProperty(JpegLibrary.PROPERTY, "stb");
            assertThat(JpegLibrary.preferred()).isEqualTo(JpegLibrary.STB);
            assertThat(JpegLibrary.named("auto")).isEqualTo(JpegLibrary.STB);
            assertThat(JpegLibrary.named("imageio")).isEqualTo(JpegLibrary.IMAGEIO);
        } finally {
            System.clearProperty(JpegLibrary.PROPERTY);
        }
        assertThatThrownBy(() -> JpegLibrary.named("libjpeg"))
                .isInstanceOf(TenonException.class)
                .hasMessageContaining("auto or one of [turbo, stb, imageio]: given=libjpeg");
    }
}
