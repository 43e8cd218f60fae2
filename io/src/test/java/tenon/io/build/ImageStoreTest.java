package tenon.io.build;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import tenon.io.image.Filter;
import tenon.io.image.Image;
import tenon.io.image.ImageCodec;
import tenon.io.image.ImageFormat;
import tenon.io.image.ImageHeader;
import tenon.io.image.Resize;

class ImageStoreTest {
    private static Image smooth(int width, int height, int channels) {
        byte[] pixels = new byte[width * height * channels];
        for (int i = 0; i < pixels.length; i++) {
            int x = i / channels % width;
            int y = i / channels / width;
            pixels[i] = (byte) (128 + 60 * Math.sin(x / 9.0 + i % channels) + 60 * Math.cos(y / 7.0));
        }
        return new Image(width, height, channels, pixels);
    }

    private static ImageStore store(ResizeRule rule, StoreEncoding encoding, int quality, int channels) {
        return new ImageStore(rule, Filter.BILINEAR, encoding, quality, channels).resolve(null);
    }

    private static ImageHeader header(byte[] stored) {
        return ImageHeader.sniff(stored, stored.length, "stored");
    }

    private static byte[] apply(ImageStore store, byte[] file) {
        return store.apply(new ImageInput.Encoded(file), "image").bytes();
    }

    @Test
    void shortSidesAreThoseOfIm2rec() {
        // Width×height before, and after with side 256: the longer side is rounded down.
        int[][] sizes = {{500, 375, 341, 256}, {375, 500, 256, 341}, {100, 200, 256, 512}, {256, 300, 256, 300}};
        for (int[] size : sizes) {
            byte[] file = ImageCodec.encodeJpeg(smooth(size[0], size[1], 3), 90);
            byte[] stored = apply(store(new ResizeRule.ShortSide(256, true), StoreEncoding.JPEG, 95, 0), file);
            assertThat(header(stored).width()).isEqualTo(size[2]);
            assertThat(header(stored).height()).isEqualTo(size[3]);
            byte[] small = apply(store(new ResizeRule.ShortSide(256, false), StoreEncoding.JPEG, 95, 0), file);
            if (size[0] == 100) {
                assertThat(small).isEqualTo(file);
            } else {
                assertThat(small).isEqualTo(stored);
            }
        }
    }

    @Test
    void higherQualityIsLargerAndPngIsLossless() {
        Image image = smooth(90, 70, 3);
        byte[] file = ImageCodec.encodePng(image);
        ResizeRule rule = new ResizeRule.ShortSide(35, true);
        assertThat(apply(store(rule, StoreEncoding.JPEG, 100, 0), file).length)
                .isGreaterThan(apply(store(rule, StoreEncoding.JPEG, 50, 0), file).length);
        byte[] png = apply(store(rule, StoreEncoding.PNG, 95, 0), file);
        assertThat(ImageCodec.decode(png, "png").pixels())
                .isEqualTo(Resize.exact(image, 45, 35, Filter.BILINEAR).pixels());
    }

    @Test
    void rawAfterTheShortSideIsTheMiddleSquare() {
        byte[] file = ImageCodec.encodePng(smooth(80, 40, 3));
        ImageStore store = store(new ResizeRule.ShortSide(20, true), StoreEncoding.RAW, 95, 0);
        assertThat(store.rawSize(null)).isEqualTo(new PixelSize(20, 20, 3));
        Image scaled = Resize.exact(smooth(80, 40, 3), 40, 20, Filter.BILINEAR);
        assertThat(apply(store, file)).isEqualTo(scaled.crop(10, 0, 20, 20).pixels());
        ImageStore crop = store(new ResizeRule.AspectCrop(10, 40), StoreEncoding.RAW, 95, 1);
        assertThat(crop.rawSize(null)).isEqualTo(new PixelSize(10, 40, 1));
        assertThat(apply(crop, file)).hasSize(10 * 40);
        assertThatThrownBy(() -> store(new ResizeRule.ShortSide(20, false), StoreEncoding.RAW, 95, 0))
                .isInstanceOf(BuildException.class)
                .hasMessageContaining("smaller ones cannot stay as they are");
    }

    @Test
    void filesThatNeedNoChangeKeepTheirBytes() {
        byte[] jpeg = ImageCodec.encodeJpeg(smooth(40, 30, 3), 60);
        byte[] png = ImageCodec.encodePng(smooth(40, 30, 3));
        byte[] grey = ImageCodec.encodeJpeg(smooth(40, 30, 1), 60);
        for (int channels : new int[] {0, 3}) {
            assertThat(apply(store(ResizeRule.NONE, StoreEncoding.KEEP, 95, channels), jpeg))
                    .isEqualTo(jpeg);
            assertThat(apply(store(ResizeRule.NONE, StoreEncoding.KEEP, 95, channels), png))
                    .isEqualTo(png);
            assertThat(apply(store(ResizeRule.NONE, StoreEncoding.JPEG, 95, channels), jpeg))
                    .isEqualTo(jpeg);
            assertThat(apply(store(new ResizeRule.Exact(30, 40), StoreEncoding.KEEP, 95, channels), jpeg))
                    .isEqualTo(jpeg);
            assertThat(header(apply(store(ResizeRule.NONE, StoreEncoding.JPEG, 95, channels), png))
                            .format())
                    .isEqualTo(ImageFormat.JPEG);
        }
        assertThat(apply(store(ResizeRule.NONE, StoreEncoding.KEEP, 95, 0), grey))
                .isEqualTo(grey);
        assertThat(apply(store(ResizeRule.NONE, StoreEncoding.KEEP, 95, 1), grey))
                .isEqualTo(grey);
        assertThat(header(apply(store(ResizeRule.NONE, StoreEncoding.KEEP, 95, 3), grey))
                        .channels())
                .isEqualTo(3);
        assertThat(header(apply(store(ResizeRule.NONE, StoreEncoding.KEEP, 95, 1), jpeg))
                        .channels())
                .isEqualTo(1);
        // Grey stays grey when it is resized, and a changed file stays of its format.
        byte[] smaller = apply(store(new ResizeRule.Exact(3, 4), StoreEncoding.KEEP, 95, 0), grey);
        assertThat(header(smaller).channels()).isEqualTo(1);
        assertThat(header(smaller).format()).isEqualTo(ImageFormat.JPEG);
        assertThat(header(apply(store(new ResizeRule.Exact(3, 4), StoreEncoding.KEEP, 95, 0), png))
                        .format())
                .isEqualTo(ImageFormat.PNG);
    }

    /** A JPEG whose EXIF says that it lies on its side: every decoder must see it upright, so it is written anew. */
    @Test
    void turnedFilesAreStoredUpright() {
        byte[] jpeg = ImageCodec.encodeJpeg(smooth(40, 30, 3), 95);
        byte[] exif = {
            (byte) 0xFF,
            (byte) 0xE1,
            0,
            34,
            'E',
            'x',
            'i',
            'f',
            0,
            0,
            'M',
            'M',
            0,
            42,
            0,
            0,
            0,
            8,
            0,
            1,
            1,
            0x12,
            0,
            3,
            0,
            0,
            0,
            1,
            0,
            6,
            0,
            0,
            0,
            0,
            0,
            0
        };
        byte[] turned = new byte[jpeg.length + exif.length];
        System.arraycopy(jpeg, 0, turned, 0, 2);
        System.arraycopy(exif, 0, turned, 2, exif.length);
        System.arraycopy(jpeg, 2, turned, 2 + exif.length, jpeg.length - 2);
        assertThat(header(turned).exifOrientation()).isEqualTo(6);
        byte[] stored = apply(ImageStore.KEEP, turned);
        assertThat(header(stored).exifOrientation()).isEqualTo(1);
        assertThat(header(stored).width()).isEqualTo(30);
        assertThat(header(stored).height()).isEqualTo(40);
    }

    @Test
    void pixelsOfAContainerAreStoredAsPixelsOrFiles() {
        byte[] noise = new byte[6 * 5];
        new SplittableRandom(1).nextBytes(noise);
        Image image = new Image(6, 5, 1, noise);
        PixelSize size = new PixelSize(5, 6, 1);
        ImageStore kept = ImageStore.KEEP.resolve(size);
        assertThat(kept.encoding()).isEqualTo(StoreEncoding.RAW);
        assertThat(kept.rawSize(size)).isEqualTo(size);
        assertThat(kept.apply(new ImageInput.Pixels(image), "x").bytes()).isEqualTo(noise);
        ImageStore png = new ImageStore(ResizeRule.NONE, Filter.AREA, StoreEncoding.PNG, 95, 0).resolve(size);
        byte[] file = png.apply(new ImageInput.Pixels(image), "x").bytes();
        assertThat(ImageCodec.decode(file, file.length, "x", 1).pixels()).isEqualTo(noise);
    }

    private static double[] means(Image image) {
        double[] means = new double[image.channels()];
        for (int y = 0; y < image.height(); y++) {
            for (int x = 0; x < image.width(); x++) {
                for (int c = 0; c < means.length; c++) {
                    means[c] += image.value(x, y, c) / (double) (image.width() * image.height());
                }
            }
        }
        return means;
    }

    private static void assertMeans(StoredImage stored, Image image, double tolerance) {
        double[] found = stored.pixels().means().stream()
                .mapToDouble(Double::doubleValue)
                .toArray();
        assertThat(found).containsExactly(means(image), within(tolerance));
    }

    @Test
    void statisticsAreThoseOfTheStoredPicture() {
        byte[] jpeg = ImageCodec.encodeJpeg(smooth(90, 70, 3), 95);
        ImageInput.Encoded file = new ImageInput.Encoded(jpeg);
        assertMeans(ImageStore.KEEP.apply(file, "kept"), ImageCodec.decode(jpeg, "kept"), 1e-9);

        Image half = Resize.exact(ImageCodec.decode(jpeg, "half"), 45, 35, Filter.BILINEAR);
        ResizeRule rule = new ResizeRule.Exact(35, 45);
        assertMeans(store(rule, StoreEncoding.RAW, 95, 3).apply(file, "raw"), half, 1e-9);
        assertMeans(store(rule, StoreEncoding.RAW, 95, 1).apply(file, "raw"), half.withChannels(1), 1);
        StoredImage again = store(rule, StoreEncoding.JPEG, 95, 0).apply(file, "JPEG");
        assertMeans(again, half, 1e-9);
        assertMeans(again, ImageCodec.decode(again.bytes(), "JPEG"), 1);

        ImageInput.Pixels transparent = new ImageInput.Pixels(smooth(6, 5, 4));
        assertMeans(store(rule, StoreEncoding.RAW, 95, 4).apply(transparent, "raw"), smoothIn(rule, 4), 1e-9);
        assertThat(store(rule, StoreEncoding.PNG, 95, 4)
                        .apply(transparent, "PNG")
                        .pixels()
                        .means())
                .hasSize(3);
    }

    private static Image smoothIn(ResizeRule rule, int channels) {
        return rule.apply(smooth(6, 5, channels), Filter.BILINEAR);
    }

    @Test
    void contradictionsAreRefused() {
        assertThatThrownBy(() -> store(ResizeRule.NONE, StoreEncoding.RAW, 95, 3))
                .isInstanceOf(BuildException.class)
                .hasMessageContaining("raw images must all have one size");
        assertThatThrownBy(() -> store(ResizeRule.NONE, StoreEncoding.JPEG, 0, 3))
                .isInstanceOf(BuildException.class);
        assertThatThrownBy(() -> store(ResizeRule.NONE, StoreEncoding.JPEG, 95, 2))
                .isInstanceOf(BuildException.class);
        assertThatThrownBy(() -> store(ResizeRule.NONE, StoreEncoding.JPEG, 95, 4))
                .isInstanceOf(BuildException.class)
                .hasMessageContaining("JPEG has no opacity");
        assertThatThrownBy(() -> new ResizeRule.ShortSide(0, true)).isInstanceOf(BuildException.class);
        assertThatThrownBy(() -> new ResizeRule.AspectCrop(5, -1)).isInstanceOf(BuildException.class);
    }
}
