package tenon.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class RngTest {
    /** Known answers of philox4x32-10, from kat_vectors of the authors' Random123 library. */
    @Test
    void philoxKnownAnswers() {
        assertBlock(0, new int[4], "6627e8d5 e169c58d bc57ac4c 9b00dbd8");
        assertBlock(-1, new int[] {-1, -1, -1, -1}, "408f276d 41c83b0e a20bc7c6 6d5451fd");
        assertBlock(
                0x299f31d0_a4093822L,
                new int[] {0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
                "d16cfe09 94fdcceb 5001e420 24126ea1");
    }

    private static void assertBlock(long seed, int[] counter, String expected) {
        int[] out = new int[4];
        Philox.block(seed, counter[0], counter[1], counter[2], counter[3], out);
        assertThat("%08x %08x %08x %08x".formatted(out[0], out[1], out[2], out[3]))
                .isEqualTo(expected);
    }

    @Test
    void drawIsAPureFunctionOfItsAddress() {
        Rng rng = new Rng(42, 3, 7);
        int[] forward = IntStream.range(0, 1000).map(rng::bits).toArray();
        for (int i = 999; i >= 0; i--) {
            assertThat(rng.bits(i)).isEqualTo(forward[i]);
        }
        int[] block = new int[4];
        Philox.block(42, 5, 0, 7, 3, block);
        assertThat(new Rng(42, 3, 7).bits(22)).isEqualTo(block[2]);
        Philox.block(42, 1, 1, 7, 3, block);
        assertThat(rng.bits((1L << 34) + 4)).isEqualTo(block[0]);
    }

    @Test
    void seedStreamAndStepGiveDifferentSequences() {
        Set<Integer> firsts = new HashSet<>();
        for (int i = 0; i < 10; i++) {
            firsts.add(new Rng(i, 0, 0).bits(0));
            firsts.add(new Rng(0, i + 1, 0).bits(0));
            firsts.add(new Rng(0, 0, i + 1).bits(0));
        }
        assertThat(firsts).hasSize(30);
        assertThat(Rng.stream("shuffle")).isNotEqualTo(Rng.stream("dropout"));
        assertThat(Rng.stream("")).isEqualTo(0x811C9DC5);
        assertThat(Rng.stream("a")).isEqualTo(0xE40C292C);
    }

    @Test
    void uniformFillsItsRangeEvenly() {
        Rng rng = new Rng(1, 2, 3);
        int[] counts = new int[10];
        for (int i = 0; i < 100_000; i++) {
            float u = rng.uniform(i);
            assertThat(u >= 0 && u < 1).isTrue();
            counts[(int) (u * 10)]++;
        }
        // Standard deviation of a count: sqrt(100000·0.1·0.9) = 95.
        assertThat(Arrays.stream(counts)).allMatch(count -> count > 9_600 && count < 10_400);
        assertThat(Philox.toUnitFloat(-1)).isEqualTo(Math.nextDown(1.0f));
        assertThat(Philox.toUnitFloat(0xFF)).isZero();
    }

    @Test
    void gaussianHasItsMoments() {
        Rng rng = new Rng(9, 0, 0);
        double[] draws = IntStream.range(0, 100_000).mapToDouble(rng::gaussian).toArray();
        double mean = Arrays.stream(draws).average().orElseThrow();
        double variance = Arrays.stream(draws).map(x -> x * x).average().orElseThrow();
        double kurtosis = Arrays.stream(draws).map(x -> x * x * x * x).average().orElseThrow();
        assertThat(mean).isCloseTo(0, within(0.015));
        assertThat(variance).isCloseTo(1, within(0.025));
        assertThat(kurtosis).isCloseTo(3, within(0.15));
    }

    @Test
    void nextIntCoversExactlyItsRange() {
        Rng rng = new Rng(5, 0, 0);
        int[] counts = new int[7];
        for (int i = 0; i < 70_000; i++) {
            counts[rng.nextInt(7)]++;
        }
        assertThat(Arrays.stream(counts)).allMatch(count -> count > 9_600 && count < 10_400);
        assertThat(rng.nextInt(1)).isZero();
        assertThatThrownBy(() -> rng.nextInt(0))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("nextInt: bound must be at least 1: bound=0");
    }

    @Test
    void shuffleIsAPermutationAndRepeatable() {
        int[] a = IntStream.range(0, 100).toArray();
        int[] b = a.clone();
        new Rng(1, 2, 3).shuffle(a);
        new Rng(1, 2, 3).shuffle(b);
        assertThat(a).isEqualTo(b).isNotEqualTo(IntStream.range(0, 100).toArray());
        Arrays.sort(a);
        assertThat(a).isEqualTo(IntStream.range(0, 100).toArray());
    }

    @Test
    void everyOrderOfThreeIsEquallyLikely() {
        int[] counts = new int[9];
        Rng rng = new Rng(3, 3, 3);
        for (int i = 0; i < 6000; i++) {
            int[] order = {0, 1, 2};
            rng.shuffle(order);
            counts[order[0] * 3 + order[1]]++;
        }
        // Six orders, 1000 each, standard deviation 29.
        assertThat(Arrays.stream(counts).filter(count -> count > 0)).hasSize(6).allMatch(c -> c > 850 && c < 1150);
    }

    @Test
    void generatorAddressesBySeedStepAndCall() {
        Generator generator = Generator.current();
        generator.manualSeed(77);
        generator.beginStep(4);
        Rng first = generator.next();
        Rng second = generator.next();
        assertThat(new long[] {first.seed(), first.stream(), first.step()}).containsExactly(77, 0, 4);
        assertThat(new long[] {second.seed(), second.stream(), second.step()}).containsExactly(77, 1, 4);
        generator.beginStep(5);
        Rng next = generator.next();
        assertThat(new long[] {next.seed(), next.stream(), next.step()}).containsExactly(77, 0, 5);
        generator.manualSeed(78);
        assertThat(generator.seed()).isEqualTo(78);
        assertThat(generator.next().step()).isZero();
    }
}
