package tenon.layers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;
import tenon.engine.Context;
import tenon.engine.DType;
import tenon.engine.Scope;
import tenon.engine.Shape;
import tenon.engine.Tensor;
import tenon.engine.ops.Arithmetic;
import tenon.engine.ops.BatchNormSpec;

class SummaryTest {
    private static Sequential network() {
        return new Sequential()
                .add(
                        "block1",
                        new Sequential().add("conv", new Conv2d(3, 8, 3, 2, 1)).add("bn", new BatchNorm(8)))
                .add("relu", ActivationLayer.relu())
                .add("flatten", new Flatten())
                .add("dropout", new Dropout(0.5))
                .add("fc", new Dense(8 * 4 * 4, 1000));
    }

    @Test
    void printsATable() {
        assertThat(Summary.of(SummaryTest::network, Shape.of(2, 8, 8, 3))).hasToString("""
            Sequential, input [2, 8, 8, 3]
            layer        type             output        parameters  multiply-adds
            ---------------------------------------------------------------------
            block1.conv  Conv2d           [2, 4, 4, 8]         224          6,912
            block1.bn    BatchNorm        [2, 4, 4, 8]          16              0
            relu         ActivationLayer  [2, 4, 4, 8]           0              0
            flatten      Flatten          [2, 128]               0              0
            dropout      Dropout          [2, 128]               0              0
            fc           Dense            [2, 1000]        129,000        256,000
            ---------------------------------------------------------------------
            total                                          129,240        262,912
            trainable 129,240, not trainable 16 (0 frozen, 16 running statistics), together 129,256; results of all layers 0.0 MiB in F32
            """);
    }

    @Test
    void rowsAreData() {
        Summary summary = Summary.of(SummaryTest::network, Shape.of(2, 8, 8, 3));

        assertThat(summary.layers().getFirst())
                .isEqualTo(new Summary.Row(
                        "block1.conv", "Conv2d", List.of(2, 4, 4, 8), 224, 0, 6_912, 2 * 4 * 4 * 8 * 4));
        assertThat(summary.layers().get(1).statistics()).isEqualTo(16);
        assertThat(summary.layers().get(3).outputBytes()).isZero();
        assertThat(summary.layers().get(4).outputBytes()).isZero();
        assertThat(summary.outputBytes()).isEqualTo(3 * 1024 + 8000);
        assertThat(summary.parameters()).isEqualTo(129_240);
        assertThat(summary.trainable()).isEqualTo(129_240);
        assertThat(summary.statistics()).isEqualTo(16);
        assertThat(summary.total()).isEqualTo(129_256);
        assertThat(summary.nonTrainable()).isEqualTo(16);
        assertThat(summary.multiplyAdds()).isEqualTo(262_912);
    }

    /** Work of its own beside its children, one child used twice, one not at all. */
    private static final class Mixed extends Module {
        private final Parameter mixing = parameter("mixing", Tensor.zeros(Shape.of(4, 4), DType.F32), true);
        private final Dense shared = child("shared", new Dense(4, 4));

        Mixed() {
            child("auxiliary", new Dense(4, 7));
        }

        @Override
        protected Tensor forward(Tensor input) {
            return Arithmetic.matmul(shared.apply(shared.apply(input)), mixing.value());
        }
    }

    @Test
    void countsEverythingOnce() {
        Summary summary = Summary.of(Mixed::new, Shape.of(3, 4));

        assertThat(summary.layers())
                .containsExactly(
                        new Summary.Row("shared", "Dense", List.of(3, 4), 20, 0, 48, 48),
                        new Summary.Row("shared", "Dense", List.of(3, 4), 0, 0, 48, 48),
                        new Summary.Row("", "Mixed", List.of(3, 4), 16, 0, 48, 48));
        assertThat(summary.multiplyAdds()).isEqualTo(144);
        assertThat(summary.parameters()).isEqualTo(20 + 16 + 35);
        assertThat(summary.toString()).endsWith("35 parameters belong to layers that do not run in evaluation mode\n");
    }

    @Test
    void frozenParametersCountAsParametersThatAreNotTrained() {
        Summary summary = Summary.of(
                () -> {
                    Sequential net = new Sequential()
                            .add("fc", new Dense(4, 6))
                            .add("bn", new BatchNorm(6, BatchNormSpec.mxnet()))
                            .add("end", new Dense(6, 2));
                    net.freeze("fc");
                    return net;
                },
                Shape.of(3, 4));

        assertThat(summary.parameters()).isEqualTo(30 + 12 + 14);
        assertThat(summary.trainable()).isEqualTo(6 + 14);
        assertThat(summary.statistics()).isEqualTo(12);
        assertThat(summary.nonTrainable()).isEqualTo(30 + 6 + 12);
        assertThat(summary.layers().get(1).parameters()).isEqualTo(12);
        assertThat(summary.toString())
                .contains("trainable 20, not trainable 48 (36 frozen, 12 running statistics), together 68;");
    }

    @Test
    void leavesNoTraceBehind() {
        assertThatThrownBy(() -> Summary.of(SummaryTest::network, Shape.of(2, 9, 9, 3)))
                .hasMessage("dense 'fc': last input dimension must equal the weight's inFeatures: input=[2, 200],"
                        + " inFeatures=128");
        assertThat(Scope.isOpen()).isFalse();
        assertThat(Context.get().path()).isEmpty();
        assertThat(Context.get().gradEnabled()).isTrue();
    }
}
