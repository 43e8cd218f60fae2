package tenon.io.augment;

import static org.assertj.core.api.Assertions.assertThat;
import static tenon.io.augment.Images.noise;
import static tenon.io.augment.Images.rng;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.util.List;
import org.junit.jupiter.api.Test;
import tenon.engine.Rng;

class AugmenterMemoryTest {
    /** Records that describe a draw may be allocated, 64 bytes each; an image has 12 KiB. */
    private static final long BYTES_PER_SAMPLE = 512;

    @Test
    void aWarmAugmenterAllocatesNoImages() {
        List<Augmenter> all = List.of(
                new RandomCrop(28, 28),
                new RandomCrop(32, 32, 4),
                new CenterCrop(28, 28),
                new RandomResizedCrop(24, 24),
                new Squash(20, 20),
                new HorizontalFlip(),
                RandomAffine.NOTHING
                        .rotation(30)
                        .shift(0.1)
                        .shear(0.2)
                        .zoom(0.2)
                        .flip(0.5),
                MxnetAffine.random(15, 0.1),
                new RandomBrightness(0.4),
                new RandomContrast(0.4),
                new RandomSaturation(0.4),
                new RandomHue(0.1),
                new PcaLighting(0.1),
                new RandomErasing(1));
        FloatImage in = noise(32, 32, 3, rng(1));
        FloatImage out = new FloatImage();
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        for (Augmenter augmenter : all) {
            Rng rng = rng(2);
            augmenter.apply(in, out, rng);
            long before = threads.getCurrentThreadAllocatedBytes();
            int count = 200;
            for (int i = 0; i < count; i++) {
                augmenter.apply(in, out, rng);
            }
            assertThat((threads.getCurrentThreadAllocatedBytes() - before) / count)
                    .as("bytes per sample of %s", augmenter)
                    .isLessThan(BYTES_PER_SAMPLE);
        }
    }
}
