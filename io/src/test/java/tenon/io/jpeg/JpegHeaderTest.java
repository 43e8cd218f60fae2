package tenon.io.jpeg;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import tenon.io.jpeg.JpegPictures.Kind;

class JpegHeaderTest {
    private final JpegHeader header = new JpegHeader();

    private boolean read(byte[] file) {
        return header.read(file, file.length);
    }

    @ParameterizedTest
    @EnumSource(Kind.class)
    void sizeAndComponentsStandInTheFrame(Kind kind) {
        assertThat(read(JpegPictures.file(kind, 53, 37, 1))).isTrue();
        assertThat(header.width()).isEqualTo(53);
        assertThat(header.height()).isEqualTo(37);
        assertThat(header.components()).isEqualTo(kind == Kind.GREY ? 1 : 3);
    }

    @Test
    void onlySequentialFilesWithoutRestartsAreCutAfterACodedRowAndOneMore() {
        read(JpegPictures.file(Kind.COLOR_420, 40, 100, 1));
        assertThat(header.rowsFor(1)).isEqualTo(32);
        assertThat(header.rowsFor(16)).isEqualTo(32);
        assertThat(header.rowsFor(17)).isEqualTo(48);
        assertThat(header.rowsFor(95)).isEqualTo(100);
        read(JpegPictures.file(Kind.COLOR_444, 40, 100, 1));
        assertThat(header.rowsFor(17)).isEqualTo(32);
        for (Kind kind : new Kind[] {Kind.PROGRESSIVE, Kind.RESTARTS}) {
            read(JpegPictures.file(kind, 40, 100, 1));
            assertThat(header.rowsFor(1)).isEqualTo(100);
        }
        read(JpegPictures.withoutColours(JpegPictures.file(Kind.GREY, 40, 100, 1)));
        assertThat(header.rowsFor(1)).isEqualTo(100);
    }

    @Test
    void turnedPicturesAndColourProfilesAreLeftToTheCodec() {
        byte[] file = JpegPictures.file(Kind.COLOR_420, 32, 32, 1);
        assertThat(read(JpegPictures.withSegment(file, 0xE1, JpegPictures.exif(1))))
                .isTrue();
        for (int orientation = 2; orientation <= 8; orientation++) {
            assertThat(read(JpegPictures.withSegment(file, 0xE1, JpegPictures.exif(orientation))))
                    .isFalse();
        }
        byte[] profile = "ICC_PROFILE\0\1\1".getBytes(StandardCharsets.ISO_8859_1);
        assertThat(read(JpegPictures.withSegment(file, 0xE2, profile))).isFalse();
        assertThat(read(JpegPictures.withSegment(file, 0xFE, "a comment".getBytes(StandardCharsets.US_ASCII))))
                .isTrue();
    }

    @Test
    void anEnormousSizeInASmallFileIsRefused() {
        byte[] file = JpegPictures.file(Kind.COLOR_420, 64, 64, 1);
        read(file);
        int position = frame(file) + 5;
        for (int i = 0; i < 4; i++) {
            file[position + i] = (byte) 0xFF;
        }
        assertThat(read(file)).isFalse();
        // 4096×4096 is below every limit on pixels, but not for so few bytes.
        file[position] = 0x10;
        file[position + 1] = 0;
        file[position + 2] = 0x10;
        file[position + 3] = 0;
        assertThat(read(file)).isFalse();
    }

    private static int frame(byte[] file) {
        for (int i = 2; ; i++) {
            if (file[i] == (byte) 0xFF && file[i + 1] == (byte) 0xC0) {
                return i;
            }
        }
    }

    @Test
    void thousandsOfScansAreRefused() {
        byte[] file = JpegPictures.file(Kind.PROGRESSIVE, 64, 64, 1);
        byte[] scan = {(byte) 0xFF, (byte) 0xDA, 0, 8, 1, 1, 0, 0, 63, 0, 0};
        byte[] many = Arrays.copyOf(file, file.length + 5000 * scan.length);
        for (int i = 0; i < 5000; i++) {
            System.arraycopy(scan, 0, many, file.length - 2 + i * scan.length, scan.length);
        }
        many[many.length - 2] = (byte) 0xFF;
        many[many.length - 1] = (byte) 0xD9;
        assertThat(read(many)).isFalse();
    }

    @Test
    void anyTruncationIsRefusedAndNoDamageThrows() {
        byte[] file = JpegPictures.file(Kind.COLOR_420, 40, 30, 1);
        for (int length = 0; length < file.length; length++) {
            assertThat(header.read(file, length)).as("length %d", length).isFalse();
        }
        Random random = new Random(3);
        for (int i = 0; i < 20_000; i++) {
            byte[] damaged = file.clone();
            for (int j = 0; j < 3; j++) {
                damaged[random.nextInt(700)] = (byte) random.nextInt();
            }
            if (read(damaged)) {
                assertThat((long) header.width() * header.height()).isBetween(1L, 512L * file.length);
            }
        }
    }
}
