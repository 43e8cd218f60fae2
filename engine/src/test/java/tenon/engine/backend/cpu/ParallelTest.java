package tenon.engine.backend.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import tenon.engine.nativelib.DnnlLibrary;

@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ParallelTest {
    private List<Parallel> all;

    @BeforeAll
    void open() {
        OpenMp openMp = OpenMp.find(DnnlLibrary.load());
        all = new ArrayList<>(List.of(new PoolParallel(1), new PoolParallel(3)));
        if (openMp.hasParallel()) {
            all.add(new OpenMpParallel(2, openMp));
            all.add(new OpenMpParallel(5, openMp));
        }
    }

    List<Parallel> all() {
        return all;
    }

    @AfterAll
    void close() {
        all.forEach(Parallel::close);
    }

    @ParameterizedTest(autoCloseArguments = false)
    @MethodSource("all")
    void visitsEveryIndexOnce(Parallel parallel) {
        for (int count : new int[] {0, 1, 2, 63, 64, 65, 127, 1000, 4097}) {
            for (int grain : new int[] {1, 100}) {
                AtomicIntegerArray visits = new AtomicIntegerArray(count);
                parallel.range(count, grain, (from, to) -> {
                    for (long i = from; i < to; i++) {
                        visits.incrementAndGet((int) i);
                    }
                });
                for (int i = 0; i < count; i++) {
                    assertThat(visits.get(i)).as("visits of %d of %d", i, count).isEqualTo(1);
                }
            }
        }
    }

    @ParameterizedTest(autoCloseArguments = false)
    @MethodSource("all")
    void splitsEqualCountsEqually(Parallel parallel) {
        long[] first = new long[1000];
        long[] second = new long[1000];
        for (long[] starts : List.of(first, second)) {
            parallel.range(1000, 10, 1, (from, to) -> Arrays.fill(starts, (int) from, (int) to, from));
        }
        assertThat(second).isEqualTo(first);
    }

    @ParameterizedTest(autoCloseArguments = false)
    @MethodSource("all")
    void runsMorePartsThanThreads(Parallel parallel) {
        int[] visits = new int[17];
        for (int round = 0; round < 100; round++) {
            parallel.parts(17, part -> visits[part]++);
        }
        assertThat(visits).containsOnly(100);
    }

    @ParameterizedTest(autoCloseArguments = false)
    @MethodSource("all")
    void passesAnExceptionOfAnyThreadOnAndStaysUsable(Parallel parallel) {
        assertThatThrownBy(() -> parallel.parts(8, part -> {
                    if (part == 7) {
                        throw new IllegalStateException("part 7");
                    }
                }))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("part 7");
        int[] visits = new int[8];
        parallel.parts(8, part -> visits[part]++);
        assertThat(visits).containsOnly(1);
    }
}
