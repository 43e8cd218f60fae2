package tenon.io.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import tenon.engine.ClosedException;
import tenon.engine.Shape;
import tenon.engine.ShapeException;
import tenon.engine.backend.Backend;
import tenon.engine.backend.reference.ReferenceBackend;
import tenon.engine.data.Batch;
import tenon.engine.data.BatchIterator;
import tenon.io.data.InMemoryBatchSource.Order;

class InMemoryBatchSourceTest {
    private final Backend backend = ReferenceBackend.open();

    @AfterEach
    void close() {
        backend.close();
    }

    @Test
    void batchesFollowTheArrays() {
        float[] inputs = {0, 1, 10, 11, 20, 21, 30, 31, 40, 41};
        try (InMemoryBatchSource source = InMemoryBatchSource.ofClasses(
                        backend, inputs, Shape.of(2), new int[] {5, 6, 7, 8, 9}, Order.sequential(2));
                BatchIterator iterator = source.iterate(0, 1)) {
            Batch batch = iterator.next();
            assertThat(batch.input().toFloatArray()).containsExactly(20, 21, 30, 31);
            assertThat(batch.target().toIntArray()).containsExactly(7, 8);
            assertThat(batch.keys()).containsExactly(2, 3);
            batch = iterator.next();
            assertThat(batch.input().shape()).isEqualTo(Shape.of(1, 2));
            assertThat(batch.target().toIntArray()).containsExactly(9);
            assertThat(iterator.hasNext()).isFalse();
        }
    }

    @Test
    void shuffledEpochsRepeatAndKeepTargetsWithInputs() {
        float[] inputs = new float[7];
        float[] targets = new float[14];
        for (int i = 0; i < 7; i++) {
            inputs[i] = i;
            targets[2 * i] = 10 * i;
            targets[2 * i + 1] = -i;
        }
        try (InMemoryBatchSource source = InMemoryBatchSource.ofTargets(
                backend, inputs, Shape.of(1), targets, Shape.of(2), new Order(3, true, 4, true))) {
            assertThat(source.batchesPerEpoch()).isEqualTo(2);
            List<Float> first = epoch(source, 3);
            assertThat(epoch(source, 3)).isEqualTo(first);
            assertThat(epoch(source, 4)).isNotEqualTo(first);
        }
        assertThat(backend.allocator().statistics().liveBytes()).isZero();
    }

    private static List<Float> epoch(InMemoryBatchSource source, int epoch) {
        List<Float> seen = new ArrayList<>();
        try (BatchIterator iterator = source.iterate(epoch, 0)) {
            while (iterator.hasNext()) {
                Batch batch = iterator.next();
                float[] input = batch.input().toFloatArray();
                float[] target = batch.target().toFloatArray();
                for (int i = 0; i < batch.size(); i++) {
                    assertThat(batch.keys()[i]).isEqualTo((long) input[i]);
                    assertThat(target[2 * i]).isEqualTo(10 * input[i]);
                    assertThat(target[2 * i + 1]).isEqualTo(0 - input[i]);
                    seen.add(input[i]);
                }
            }
        }
        return seen;
    }

    @Test
    void sizesMustFit() {
        assertThatThrownBy(() -> InMemoryBatchSource.ofClasses(
                        backend, new float[5], Shape.of(2), new int[2], Order.sequential(1)))
                .isInstanceOf(ShapeException.class);
        InMemoryBatchSource source =
                InMemoryBatchSource.ofClasses(backend, new float[4], Shape.of(2), new int[2], Order.sequential(1));
        source.close();
        source.close();
        assertThatThrownBy(() -> source.iterate(0, 0)).isInstanceOf(ClosedException.class);
    }
}
