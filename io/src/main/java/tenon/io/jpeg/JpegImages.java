package tenon.io.jpeg;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.ConcurrentLinkedQueue;
import tenon.io.image.Image;
import tenon.io.image.ImageCodec;

/**
 * Whole images for builders: what {@link ImageCodec} does, with libjpeg-turbo where {@link JpegLibrary#preferred} is that. Both descend from the same code: pixels are the
 * same bits for the samplings that are used (4:4:4, 4:2:2, 4:2:0), and files the same bytes. Only the time differs. Safe for any number of threads.
 */
public final class JpegImages {
    /** Waiting for the next caller: as many as ever worked at once. */
    private static final ConcurrentLinkedQueue<Worker> IDLE = new ConcurrentLinkedQueue<>();

    private JpegImages() {}

    private static final class Worker {
        private final JpegHeader header = new JpegHeader();
        private final JpegDecoder decoder = JpegLibrary.TURBO.open();
        private final TurboEncoder encoder = new TurboEncoder();
        private final Region whole = new Region();

        /** @return null when it is no JPEG file, or one that is left to {@link ImageCodec} */
        Image decode(byte[] bytes, int length) {
            if (!header.read(bytes, length)) {
                return null;
            }
            int width = header.width();
            int height = header.height();
            int channels = header.components();
            if (!decoder.decode(bytes, length, header, channels, whole.set(0, 0, height, width))) {
                return null;
            }
            byte[] pixels = new byte[width * height * channels];
            int row = width * channels;
            for (int y = 0; y < height; y++) {
                long from = decoder.offset() + y * decoder.stride();
                MemorySegment.copy(decoder.memory(), ValueLayout.JAVA_BYTE, from, pixels, y * row, row);
            }
            return new Image(width, height, channels, pixels);
        }
    }

    private static boolean isNative() {
        return JpegLibrary.preferred() == JpegLibrary.TURBO;
    }

    private static Worker take() {
        Worker idle = IDLE.poll();
        return idle != null ? idle : new Worker();
    }

    /** As {@link ImageCodec#decode(byte[], int, String, int)}. */
    public static Image decode(byte[] bytes, int length, String name, int channels) {
        if (isNative()) {
            Worker worker = take();
            try {
                Image image = worker.decode(bytes, length);
                if (image != null) {
                    return image.withChannels(channels);
                }
            } finally {
                IDLE.add(worker);
            }
        }
        return ImageCodec.decode(bytes, length, name, channels);
    }

    /** As {@link ImageCodec#encodeJpeg}. */
    public static byte[] encode(Image image, int quality) {
        if (!isNative() || image.channels() == 4 || quality < 1 || quality > 100) {
            return ImageCodec.encodeJpeg(image, quality);
        }
        Worker worker = take();
        try {
            return worker.encoder.encode(image, quality);
        } finally {
            IDLE.add(worker);
        }
    }
}
