package tenon.io.data;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import tenon.io.image.Filter;
import tenon.io.image.Image;
import tenon.io.image.ImageCodec;
import tenon.io.image.ImageException;
import tenon.io.image.Resize;
import tenon.io.jpeg.JpegDecoder;
import tenon.io.jpeg.JpegHeader;
import tenon.io.jpeg.JpegLibrary;
import tenon.io.jpeg.Region;
import tenon.io.record.ImageEncoding;
import tenon.io.record.RecordSchema;
import tenon.io.record.SampleBuffer;

/**
 * The pixels of one sample after another: bytes 0…255 in H, W, C order, of the wanted channels. First its size is known, so that a crop can be
 * drawn; then the crop is decoded, and of the rest no more than the decoder must. Confined to a thread.
 */
final class SamplePixels implements AutoCloseable {
    private final RecordSchema schema;
    private final int wantedHeight;
    private final int wantedWidth;
    private final int channels;
    private final JpegHeader header = new JpegHeader();
    private final Region region = new Region();
    private final JpegDecoder jpeg;

    private SampleBuffer buffer;
    private boolean pending;
    private int height;
    private int width;
    private MemorySegment memory;
    private long offset;
    private long stride;
    /** The last array of pixels and the segment over it, which is made once: the same array comes again and again. */
    private byte[] array;

    private MemorySegment arrayMemory;

    /** @param height rows that every image is resized to, 0 to keep its size; likewise width */
    SamplePixels(RecordSchema schema, int height, int width, int channels, JpegLibrary library) {
        this.schema = schema;
        wantedHeight = height;
        wantedWidth = width;
        this.channels = channels;
        boolean nativeTypes = schema.encoding() == ImageEncoding.ENCODED && (channels == 1 || channels == 3);
        jpeg = nativeTypes ? library.open() : null;
    }

    /** Begins with the image that {@code sample} holds; it must stay there until the next call. */
    void open(SampleBuffer sample) {
        buffer = sample;
        pending = false;
        if (schema.encoding() == ImageEncoding.RAW_U8) {
            if (schema.channels() == channels && fits(schema.height(), schema.width())) {
                set(schema.height(), schema.width(), sample.bytes());
            } else {
                resize(new Image(
                        schema.width(),
                        schema.height(),
                        schema.channels(),
                        Arrays.copyOf(sample.bytes(), sample.imageBytes())));
            }
        } else if (jpeg != null && header.read(sample.bytes(), sample.imageBytes())) {
            if (fits(header.height(), header.width())) {
                height = header.height();
                width = header.width();
                pending = true;
            } else {
                resize(decodeWhole());
            }
        } else {
            resize(ImageCodec.decode(sample.bytes(), sample.imageBytes(), "data", channels));
        }
    }

    /** Decodes what is not yet decoded; pixels outside of rows [top, bottom) and columns [left, right) perhaps not. */
    void decode(int top, int left, int bottom, int right) {
        if (!pending) {
            return;
        }
        pending = false;
        boolean nothing = top >= bottom || left >= right;
        if (nothing || decodeNative(region.set(top, left, bottom, right))) {
            return;
        }
        Image image = ImageCodec.decode(buffer.bytes(), buffer.imageBytes(), "data", channels);
        if (image.height() != height || image.width() != width) {
            throw new ImageException("image data: its header says " + height + "×" + width + " and its picture is "
                    + image.height() + "×" + image.width());
        }
        resize(image);
    }

    private boolean decodeNative(Region wanted) {
        if (!jpeg.decode(buffer.bytes(), buffer.imageBytes(), header, channels, wanted)) {
            return false;
        }
        memory = jpeg.memory();
        offset = jpeg.offset();
        stride = jpeg.stride();
        return true;
    }

    private boolean fits(int h, int w) {
        return (wantedHeight == 0 || wantedHeight == h) && (wantedWidth == 0 || wantedWidth == w);
    }

    private Image decodeWhole() {
        if (!decodeNative(region.set(0, 0, header.height(), header.width()))) {
            return ImageCodec.decode(buffer.bytes(), buffer.imageBytes(), "data", channels);
        }
        byte[] pixels = new byte[header.width() * header.height() * channels];
        MemorySegment.copy(memory, ValueLayout.JAVA_BYTE, offset, pixels, 0, pixels.length);
        return new Image(header.width(), header.height(), channels, pixels);
    }

    private void resize(Image image) {
        Image wanted = image.withChannels(channels);
        if (!fits(wanted.height(), wanted.width())) {
            wanted = Resize.exact(wanted, wantedWidth, wantedHeight, Filter.BILINEAR);
        }
        set(wanted.height(), wanted.width(), wanted.pixels());
    }

    private void set(int h, int w, byte[] pixels) {
        height = h;
        width = w;
        if (array != pixels) {
            array = pixels;
            arrayMemory = MemorySegment.ofArray(pixels);
        }
        memory = arrayMemory;
        offset = 0;
        stride = (long) w * channels;
    }

    int height() {
        return height;
    }

    int width() {
        return width;
    }

    int channels() {
        return channels;
    }

    /** Copies {@code count} pixels of row {@code y} from column {@code x} on to the front of {@code to}. */
    void copyRow(int y, int x, int count, byte[] to, int at) {
        MemorySegment.copy(
                memory, ValueLayout.JAVA_BYTE, offset + y * stride + (long) x * channels, to, at, count * channels);
    }

    @Override
    public void close() {
        if (jpeg != null) {
            jpeg.close();
        }
    }
}
