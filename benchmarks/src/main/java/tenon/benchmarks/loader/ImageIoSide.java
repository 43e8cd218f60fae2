package tenon.benchmarks.loader;

import java.awt.Graphics2D;
import java.awt.color.ColorSpace;
import java.awt.image.BufferedImage;
import java.awt.image.ComponentColorModel;
import java.awt.image.DataBuffer;
import java.awt.image.DataBufferByte;
import java.awt.image.Raster;
import java.awt.image.WritableRaster;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import javax.imageio.ImageIO;
import javax.imageio.spi.IIORegistry;
import javax.imageio.spi.ImageReaderSpi;
import tenon.engine.Rng;
import tenon.io.record.ImageEncoding;
import tenon.io.record.RecordSchema;
import tenon.io.record.SampleBuffer;

/**
 * The plain way: {@code ImageIO.read} with the JDK's own reader, one {@code drawImage} that crops and mirrors, and a loop over the bytes that
 * normalizes. Each thread reads samples, checksums included, as Tenon does, and reuses the canvas and the floats.
 */
final class ImageIoSide implements Side {
    private final Task task;
    private final Worker[] workers;
    private final AtomicLong next = new AtomicLong();
    private volatile boolean stop;

    ImageIoSide(Task task, int threads) {
        this.task = task;
        ImageIO.setUseCache(false);
        preferJdkReader();
        workers = new Worker[threads];
        for (int i = 0; i < threads; i++) {
            workers[i] = new Worker(i);
        }
    }

    /** TwelveMonkeys' reader, which understands more, is slower. */
    private static void preferJdkReader() {
        IIORegistry registry = IIORegistry.getDefaultInstance();
        Iterator<ImageReaderSpi> readers = registry.getServiceProviders(ImageReaderSpi.class, true);
        ImageReaderSpi own = null;
        List<ImageReaderSpi> others = new ArrayList<>();
        while (readers.hasNext()) {
            ImageReaderSpi reader = readers.next();
            if (reader.getClass().getName().equals("com.sun.imageio.plugins.jpeg.JPEGImageReaderSpi")) {
                own = reader;
            } else {
                others.add(reader);
            }
        }
        for (ImageReaderSpi other : others) {
            registry.setOrdering(ImageReaderSpi.class, own, other);
        }
    }

    @Override
    public double imagesPerSecond(double seconds) {
        stop = false;
        long start = System.nanoTime();
        Thread[] threads = new Thread[workers.length];
        for (int i = 0; i < threads.length; i++) {
            threads[i] = Thread.ofPlatform().name("imageio-" + i).start(workers[i]);
        }
        try {
            Thread.sleep((long) (1000 * seconds));
            stop = true;
            for (Thread thread : threads) {
                thread.join();
            }
        } catch (InterruptedException e) {
            stop = true;
            Thread.currentThread().interrupt();
        }
        double elapsed = (System.nanoTime() - start) * 1e-9;
        long images = 0;
        for (Worker worker : workers) {
            if (worker.failure != null) {
                throw worker.failure;
            }
            images += worker.done;
        }
        return images / elapsed;
    }

    private final class Worker implements Runnable {
        private final Rng rng;
        private final SampleBuffer buffer = new SampleBuffer();
        private final BufferedImage canvas = new BufferedImage(task.crop(), task.crop(), BufferedImage.TYPE_3BYTE_BGR);
        private final byte[] pixels = ((DataBufferByte) canvas.getRaster().getDataBuffer()).getData();
        private final float[] values = new float[pixels.length];
        private long done;
        private RuntimeException failure;

        Worker(int number) {
            rng = new Rng(2, number, 0);
        }

        @Override
        public void run() {
            done = 0;
            try {
                while (!stop) {
                    load((int) (next.getAndIncrement() % task.records().sampleCount()));
                    done++;
                }
            } catch (IOException e) {
                failure = new UncheckedIOException(e);
            } catch (RuntimeException e) {
                failure = e;
            }
        }

        private void load(int sample) throws IOException {
            task.records().read(sample, buffer);
            BufferedImage image = task.records().schema().encoding() == ImageEncoding.RAW_U8
                    ? raw()
                    : ImageIO.read(new ByteArrayInputStream(buffer.bytes(), 0, buffer.imageBytes()));
            int crop = task.crop();
            int x = rng.nextInt(image.getWidth() - crop + 1);
            int y = rng.nextInt(image.getHeight() - crop + 1);
            boolean mirrored = rng.nextUniform() < 0.5f;
            Graphics2D graphics = canvas.createGraphics();
            graphics.drawImage(
                    image, mirrored ? crop : 0, 0, mirrored ? 0 : crop, crop, x, y, x + crop, y + crop, null);
            graphics.dispose();
            for (int i = 0; i < pixels.length; i += 3) {
                values[i] = ((pixels[i + 2] & 0xFF) - Task.MEANS[0]) / Task.STDS[0];
                values[i + 1] = ((pixels[i + 1] & 0xFF) - Task.MEANS[1]) / Task.STDS[1];
                values[i + 2] = ((pixels[i] & 0xFF) - Task.MEANS[2]) / Task.STDS[2];
            }
        }

        /** The bytes as they are, R, G, B. */
        private BufferedImage raw() {
            RecordSchema schema = task.records().schema();
            int width = schema.width();
            WritableRaster raster = Raster.createInterleavedRaster(
                    new DataBufferByte(buffer.bytes(), schema.rawImageBytes()),
                    width,
                    schema.height(),
                    3 * width,
                    3,
                    new int[] {0, 1, 2},
                    null);
            ComponentColorModel colors = new ComponentColorModel(
                    ColorSpace.getInstance(ColorSpace.CS_sRGB),
                    false,
                    false,
                    ComponentColorModel.OPAQUE,
                    DataBuffer.TYPE_BYTE);
            return new BufferedImage(colors, raster, false, null);
        }
    }

    @Override
    public void close() {}
}
