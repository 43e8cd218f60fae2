package tenon.io.augment;

import static org.assertj.core.api.Assertions.assertThat;
import static tenon.io.augment.Images.noise;
import static tenon.io.augment.Images.rng;
import static tenon.io.augment.Images.values;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.util.List;
import org.junit.jupiter.api.Test;
import tenon.engine.Rng;

class AugmenterChainTest {
    private static final List<List<Augmenter>> CHAINS = List.of(
            List.of(MxnetAffine.random(15, 0.1), new RandomCrop(20, 17), new HorizontalFlip()),
            List.of(MxnetAffine.fixed(15, 0.1), new CenterCrop(20, 17)),
            List.of(RandomAffine.NOTHING.rotation(30).shift(0.2).fill(Fill.WRAP), new RandomCrop(28, 28, 2)),
            List.of(new RandomCrop(20, 20), RandomAffine.NOTHING.zoom(0.3), new PcaLighting(0.1), new Squash(7, 9)));

    @Test
    void givesTheBitsOfOneAfterTheOther() {
        FloatImage image = noise(24, 29, 3, rng(3));
        float[] before = values(image);
        for (List<Augmenter> augmenters : CHAINS) {
            AugmenterChain chain = new AugmenterChain(augmenters);
            Rng chained = rng(5);
            Rng apart = rng(5);
            for (int i = 0; i < 30; i++) {
                FloatImage expected = image;
                for (Augmenter augmenter : augmenters) {
                    FloatImage next = new FloatImage();
                    augmenter.apply(expected, next, apart);
                    expected = next;
                }
                FloatImage result = chain.apply(image, chained);
                assertThat(values(result)).isEqualTo(values(expected));
                assertThat(result.width()).isEqualTo(expected.width());
            }
            assertThat(chained.nextUniform()).isEqualTo(apart.nextUniform());
            assertThat(values(image)).isEqualTo(before);
        }
        assertThat(new AugmenterChain(List.of()).apply(image, rng(0))).isSameAs(image);
    }

    @Test
    void aWarmChainAllocatesNoImages() {
        FloatImage image = noise(32, 32, 3, rng(3));
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        AugmenterChain chain = new AugmenterChain(CHAINS.getFirst());
        Rng rng = rng(1);
        chain.apply(image, rng);
        chain.apply(image, rng);
        long before = threads.getCurrentThreadAllocatedBytes();
        for (int i = 0; i < 200; i++) {
            chain.apply(image, rng);
        }
        // Records of a draw, not the 4 KiB of an image.
        assertThat((threads.getCurrentThreadAllocatedBytes() - before) / 200).isLessThan(1024);
    }
}
