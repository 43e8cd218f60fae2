package tenon.layers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import tenon.engine.Context;
import tenon.engine.DType;
import tenon.engine.Precision;
import tenon.engine.Scope;
import tenon.engine.Shape;
import tenon.engine.ShapeException;
import tenon.engine.Tensor;
import tenon.engine.backend.reference.ReferenceBackend;
import tenon.engine.backend.shapes.ShapeBackend;
import tenon.engine.ops.Activations;
import tenon.engine.ops.Arithmetic;

/** Names, order, state, mode and scopes; no arithmetic needed. */
class ModuleTest {
    private Scope scope;

    @BeforeEach
    void open() {
        scope = Scope.open("test", new ShapeBackend());
    }

    @AfterEach
    void close() {
        scope.close();
    }

    private static Tensor input(int... dims) {
        return Tensor.zeros(Shape.of(dims), DType.F32);
    }

    private static Sequential network() {
        Sequential block = new Sequential()
                .add("conv", new Conv2d(3, 8, 3, 1, 1))
                .add("bn", new BatchNorm(8))
                .add("relu", ActivationLayer.relu());
        return new Sequential()
                .add("block1", block)
                .add("flatten", new Flatten())
                .add("fc", new Dense(8 * 4 * 4, 10));
    }

    @Test
    void precisionIsThatOfTheInputOnTheWayInAndFp32OnTheWayOut() {
        List<DType> seen = new ArrayList<>();
        Module inner = new Module() {
            @Override
            protected Tensor forward(Tensor input) {
                seen.add(input.dtype());
                return input.detach();
            }
        };
        Sequential net = new Sequential().add("inner", inner);
        try (var _ = Scope.open("reference", ReferenceBackend.open())) {
            Tensor input = Tensor.of(new float[] {1.00390625f, -2.5f}, 1, 2);
            assertThat(net.apply(input).toFloatArray()).containsExactly(1.00390625f, -2.5f);
            net.computeIn(Precision.BF16);
            Tensor output = net.apply(input);
            assertThat(output.dtype()).isEqualTo(DType.F32);
            // 1 + 2^-8 lies between two BF16 numbers; the even one is 1.
            assertThat(output.toFloatArray()).containsExactly(1, -2.5f);
        }
        assertThat(seen).containsExactly(DType.F32, DType.BF16);
    }

    @Test
    void namesAreDottedAndInOrderOfRegistration() {
        Sequential net = network();

        assertThat(net.namedParameters().keySet())
                .containsExactly(
                        "block1.conv.weight",
                        "block1.conv.bias",
                        "block1.bn.gamma",
                        "block1.bn.beta",
                        "fc.weight",
                        "fc.bias");
        assertThat(net.namedBuffers().keySet()).containsExactly("block1.bn.runningMean", "block1.bn.runningVariance");
        assertThat(net.state().keySet())
                .containsExactly(
                        "block1.conv.weight",
                        "block1.conv.bias",
                        "block1.bn.gamma",
                        "block1.bn.beta",
                        "block1.bn.runningMean",
                        "block1.bn.runningVariance",
                        "fc.weight",
                        "fc.bias");
        assertThat(net.module("block1.bn")).isInstanceOf(BatchNorm.class);
        assertThat(net.module("")).isSameAs(net);
        assertThat(net.module("block1.bn").path()).isEqualTo("block1.bn");
    }

    @Test
    void namesFollowWhenTheRootChanges() {
        Dense dense = new Dense(4, 2);
        assertThat(dense.weight().name()).isEqualTo("weight");
        Sequential inner = new Sequential().add("fc", dense);
        assertThat(dense.weight().name()).isEqualTo("fc.weight");

        new Sequential().add("head", inner);

        assertThat(dense.weight().name()).isEqualTo("head.fc.weight");
        assertThat(dense.path()).isEqualTo("head.fc");
    }

    @Test
    void onlyWeightsDecay() {
        Sequential net = Sequential.of(new Conv2d(3, 4, 3, 1, 1), new BatchNorm(4), new PRelu(4), new Dense(4, 2));

        assertThat(net.parameters().stream().filter(Parameter::decays).map(Parameter::name))
                .containsExactly("0.weight", "3.weight");
    }

    @Test
    void countsBuffersAsNotTrainable() {
        Sequential net = network();
        long conv = 3 * 3 * 3 * 8 + 8;
        long fc = 8 * 4 * 4 * 10 + 10;

        assertThat(net.parameterCount()).isEqualTo(conv + 4 * 8 + fc);
        assertThat(net.trainableCount()).isEqualTo(conv + 2 * 8 + fc);
    }

    @Test
    void freezesByPrefixAtDots() {
        Sequential net = new Sequential().add("block1", new Dense(2, 2)).add("block10", new Dense(2, 2));

        net.freeze("block1");

        assertThat(net.parameters().stream().filter(Parameter::trainable).map(Parameter::name))
                .containsExactly("block10.weight", "block10.bias");
        assertThat(net.trainableCount()).isEqualTo(6);
        assertThat(net.parameterCount()).isEqualTo(12);
        assertThat(net.namedParameters().get("block1.bias").toString()).isEqualTo("block1.bias [2] (frozen)");

        net.unfreeze("block1.bias");
        assertThat(net.trainableCount()).isEqualTo(8);

        assertThatThrownBy(() -> net.freeze("block"))
                .hasMessage("module: no parameter of that name or prefix: prefix='block', parameters=[block1.weight,"
                        + " block1.bias, block10.weight, block10.bias]");
    }

    @Test
    void modeReachesAllChildren() {
        Sequential net = network();
        assertThat(net.module("block1.bn").isTraining()).isTrue();
        net.eval();
        assertThat(net.module("block1.bn").isTraining()).isFalse();
        net.train();
        assertThat(net.module("block1.bn").isTraining()).isTrue();
    }

    @Test
    void errorsNameTheLayer() {
        Sequential net = network();

        assertThatThrownBy(() -> net.apply(input(2, 4, 4, 5)))
                .isInstanceOf(ShapeException.class)
                .hasMessage("conv2d 'block1.conv': weight must have C / groups = 5 channels: input=[2, 4, 4, 5],"
                        + " weight=[8, 3, 3, 3], groups=1");
        assertThatThrownBy(() -> net.apply(input(2, 8, 8, 3)))
                .hasMessage("dense 'fc': last input dimension must equal the weight's inFeatures: input=[2, 512],"
                        + " inFeatures=128");
        assertThat(Context.get().path()).isEmpty();
        assertThat(Scope.current()).isSameAs(scope);
    }

    @Test
    void recordedOpsNameTheLayer() {
        Sequential net = network();
        Tensor output = net.apply(input(2, 4, 4, 3));
        assertThat(output.node().path()).isEqualTo("fc");
    }

    @Test
    void applyKeepsOnlyTheResult() {
        Sequential net = network();
        net.eval();
        Tensor input = input(2, 4, 4, 3);
        int before = scope.tensorCount();

        Tensor output = net.apply(input);

        assertThat(output.shape()).isEqualTo(Shape.of(2, 10));
        assertThat(output.scope()).isSameAs(scope);
        assertThat(scope.tensorCount()).isEqualTo(before + 1);
    }

    @Test
    void theInputMayBeTheResult() {
        Sequential net = Sequential.of(new Dropout(0.5), new Dropout(0.25));
        net.eval();
        Tensor input = input(2, 3);

        assertThat(net.apply(input)).isSameAs(input);
        assertThat(input.isClosed()).isFalse();
        assertThat(input.scope()).isSameAs(scope);
    }

    /** Returns its parameter, as an embedding of a constant would. */
    private static final class Constant extends Module {
        private final Parameter value = parameter("value", input(3), true);

        @Override
        protected Tensor forward(Tensor input) {
            return value.value();
        }
    }

    @Test
    void parametersStayInTheirScope() {
        Sequential net = Sequential.of(new Constant(), ActivationLayer.relu());
        Tensor value = net.parameters().getFirst().value();
        try (Scope step = Scope.open("step")) {
            assertThat(net.module("0").apply(input(1))).isSameAs(value);
            net.apply(input(1));
            assertThat(value.scope()).isSameAs(scope);
            assertThat(step.tensorCount()).isEqualTo(3);
        }
        assertThat(value.isClosed()).isFalse();
    }

    /** Two results from one computation. */
    private static final class TwoHeads extends Module {
        private final Dense left = child("left", new Dense(3, 1));
        private final Dense right = child("right", new Dense(3, 2));

        @Override
        protected Tensor forward(Tensor input) {
            return both(input)[0];
        }

        Tensor[] both(Tensor input) {
            return scoped(() -> {
                Tensor x = Arithmetic.scale(input, 2);
                return new Tensor[] {left.apply(x), right.apply(Activations.relu(x))};
            });
        }
    }

    @Test
    void severalResultsMoveToTheCaller() {
        TwoHeads net = new TwoHeads();
        Tensor input = input(5, 3);
        int before = scope.tensorCount();

        Tensor[] outputs = net.both(input);

        assertThat(outputs[0].shape()).isEqualTo(Shape.of(5, 1));
        assertThat(outputs[1].shape()).isEqualTo(Shape.of(5, 2));
        assertThat(scope.tensorCount()).isEqualTo(before + 2);
    }

    @Test
    void listenerSeesTheNesting() {
        Sequential net = network();
        List<String> events = new ArrayList<>();
        net.listen(new ApplyListener() {
            @Override
            public void before(Module module, Tensor input) {
                events.add("+" + module.path());
            }

            @Override
            public void after(Module module, Tensor input, Tensor output) {
                events.add("-" + module.path() + output.shape());
            }
        });
        net.apply(input(1, 4, 4, 3));
        net.listen(null);
        net.apply(input(1, 4, 4, 3));

        assertThat(events)
                .containsExactly(
                        "+",
                        "+block1",
                        "+block1.conv",
                        "-block1.conv[1, 4, 4, 8]",
                        "+block1.bn",
                        "-block1.bn[1, 4, 4, 8]",
                        "+block1.relu",
                        "-block1.relu[1, 4, 4, 8]",
                        "-block1[1, 4, 4, 8]",
                        "+flatten",
                        "-flatten[1, 128]",
                        "+fc",
                        "-fc[1, 10]",
                        "-[1, 10]");
    }

    @Test
    void refusesBadNamesAndSecondParents() {
        Dense dense = new Dense(2, 2);
        Sequential net = new Sequential().add("fc", dense);

        assertThatThrownBy(() -> net.add("fc", new Flatten()))
                .hasMessage("module: names must differ: name='fc' is taken in Sequential");
        assertThatThrownBy(() -> net.add("a.b", new Flatten()))
                .hasMessage("module: a name must be non-empty and without dots: name='a.b', in=Sequential");
        assertThatThrownBy(() -> net.add("again", dense))
                .hasMessage("module: a module has one parent: name=again, module=Dense, already 'fc' (register it once,"
                        + " and apply it as often as needed)");
        assertThatThrownBy(() -> net.add("self", net))
                .hasMessage("module: a module cannot contain itself: name=self, module=Sequential");
        assertThatThrownBy(() -> net.module("fc.weights"))
                .hasMessage(
                        "module: no module of that name: name='fc.weights', missing='weights', children of 'fc'=[]");
    }

    @Test
    void convertsItsState() {
        Sequential net = network();
        net.freeze("fc");

        net.convertTo(DType.F64);

        assertThat(net.state().values()).allMatch(tensor -> tensor.dtype() == DType.F64 && tensor.scope() == scope);
        assertThat(net.namedParameters().get("fc.weight").trainable()).isFalse();
        assertThat(net.namedParameters().get("block1.conv.weight").trainable()).isTrue();
        assertThat(net.apply(Tensor.zeros(Shape.of(2, 4, 4, 3), DType.F64)).dtype())
                .isEqualTo(DType.F64);
    }

    @Test
    void bf16InputsMeetF32Parameters() {
        Sequential net = network();

        Tensor output = net.apply(Tensor.zeros(Shape.of(2, 4, 4, 3), DType.BF16));
        Arithmetic.mean(output).backward();

        assertThat(output.dtype()).isEqualTo(DType.BF16);
        assertThat(net.parameters())
                .allMatch(
                        p -> p.value().dtype() == DType.F32 && p.value().grad().dtype() == DType.F32);
    }

    @Test
    void printsAsATree() {
        assertThat(network()).hasToString("""
            Sequential(
              (block1): Sequential(
                (conv): Conv2d(3 -> 8, kernel=3x3, stride=1x1, padding=1x1)
                (bn): BatchNorm(8, epsilon=1.0E-5, momentum=0.1)
                (relu): ActivationLayer(relu)
              )
              (flatten): Flatten()
              (fc): Dense(128 -> 10)
            )\
            """);
    }
}
