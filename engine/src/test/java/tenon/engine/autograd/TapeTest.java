package tenon.engine.autograd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static tenon.engine.testing.TensorAssert.assertNear;
import static tenon.engine.testing.TensorAssert.assertValues;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import tenon.engine.AutogradException;
import tenon.engine.Context;
import tenon.engine.DType;
import tenon.engine.GradMode;
import tenon.engine.Scope;
import tenon.engine.Shape;
import tenon.engine.ShapeException;
import tenon.engine.Tensor;
import tenon.engine.backend.reference.ReferenceBackend;
import tenon.engine.ops.Activations;
import tenon.engine.ops.Arithmetic;
import tenon.engine.ops.Channels;

class TapeTest {
    private ReferenceBackend backend;
    private Scope scope;

    @BeforeEach
    void open() {
        backend = ReferenceBackend.open();
        scope = Scope.open("step", backend);
    }

    @AfterEach
    void close() {
        scope.close();
        assertThat(backend.allocator().statistics().liveBytes()).isZero();
        backend.close();
    }

    private static Tensor leaf(double... values) {
        return Tensor.of(values, values.length).requireGrad(true);
    }

    private static Tensor ones(Tensor like) {
        return Tensor.full(like.shape(), like.dtype(), 1);
    }

    // ---- graphs ----

    @Test
    void tensorUsedThreeTimesAddsUp() {
        Tensor x = leaf(2);
        Tensor y = Arithmetic.scale(x, 3);
        Tensor sum = Arithmetic.add(Arithmetic.add(Arithmetic.mul(y, y), Arithmetic.scale(y, 5)), y);
        sum.backward();
        // y = 3x; d/dx (y² + 6y) = 3·(2y + 6)
        assertValues(x.grad(), 54);
    }

    @Test
    void diamondIsVisitedInReverseOrderOfRecording() {
        Tensor x = leaf(0.5);
        Tensor top = Activations.sigmoid(x);
        Tensor left = Arithmetic.scale(top, 2);
        Tensor right = Arithmetic.mul(top, top);
        Arithmetic.mul(left, right).backward();
        // 2·s³ with s = sigmoid(x)
        double s = 1 / (1 + Math.exp(-0.5));
        assertNear(x.grad(), 6 * s * s * s * (1 - s));
    }

    /** a, used first and last, is finished last, whatever the pass has given to it before; what needs no gradient is nobody's. */
    @Test
    void aLeafIsFinishedWhenAllItsUsesWereVisited() {
        Tensor a = leaf(2);
        Tensor b = leaf(3);
        Tensor c = leaf(5);
        Tensor fixed = Tensor.of(new double[] {7}, 1);
        Tensor early = Arithmetic.mul(Arithmetic.mul(a, fixed), b);
        Tensor late = Arithmetic.mul(Arithmetic.mul(early, c), a);
        List<Tensor> order = new ArrayList<>();
        List<Double> gradients = new ArrayList<>();
        Autograd.backward(late, null, leaf -> {
            order.add(leaf);
            gradients.add(leaf.grad().toDoubleArray()[0]);
        });
        // 7a²bc
        assertThat(order).containsExactly(c, b, a);
        assertThat(gradients).containsExactly(7.0 * 4 * 3, 7.0 * 4 * 5, 7.0 * 2 * 2 * 3 * 5);
    }

    @Test
    void leafTimesItself() {
        Tensor x = leaf(3, -4);
        Arithmetic.sum(Arithmetic.mul(x, x)).backward();
        assertValues(x.grad(), 6, -8);
        Arithmetic.sum(Arithmetic.add(x, x)).backward();
        assertValues(x.grad(), 8, -6);
    }

    @Test
    void detachedPartIsAConstant() {
        Tensor x = leaf(3);
        Tensor y = Arithmetic.scale(x, 2);
        Arithmetic.mul(y, y.detach()).backward();
        assertValues(x.grad(), 12);
    }

    @Test
    void frozenBranchIsNotTouched() {
        Tensor x = leaf(3);
        Tensor frozen = Tensor.of(new double[] {5}, 1);
        Tensor other = Arithmetic.scale(frozen, 2);
        assertThat(other.isLeaf()).isTrue();
        Arithmetic.mul(x, other).backward();
        assertValues(x.grad(), 10);
        assertThat(frozen.grad()).isNull();
        assertThat(other.grad()).isNull();
    }

    @Test
    void noGradRecordsNothing() {
        Tensor x = leaf(3);
        try (var _ = GradMode.noGrad()) {
            assertThat(Arithmetic.scale(x, 2).requiresGrad()).isFalse();
            try (var _ = GradMode.enableGrad()) {
                assertThat(Arithmetic.scale(x, 2).requiresGrad()).isTrue();
            }
            assertThat(Arithmetic.scale(x, 2).requiresGrad()).isFalse();
        }
        assertThat(Arithmetic.scale(x, 2).requiresGrad()).isTrue();
    }

    @Test
    void unusedOutputGetsZeros() {
        Tensor x = leaf(1, 2, 3);
        Tensor[] parts = Channels.split(x, 1, 2);
        Arithmetic.sum(parts[1]).backward();
        assertValues(x.grad(), 0, 1, 1);
    }

    @Test
    void intermediateHandlesMayCloseBeforeBackward() {
        Tensor x = leaf(0.5);
        Tensor hidden = Activations.tanh(x);
        Tensor y = Arithmetic.mul(hidden, hidden);
        hidden.close();
        y.backward();
        double t = Math.tanh(0.5);
        assertNear(x.grad(), 2 * t * (1 - t * t));
    }

    // ---- accumulation ----

    @Test
    void leavesAccumulateUntilZeroGrad() {
        Tensor x = leaf(1, 2);
        Arithmetic.sum(Arithmetic.scale(x, 3)).backward();
        Arithmetic.sum(Arithmetic.scale(x, 4)).backward();
        assertValues(x.grad(), 7, 7);
        Tensor buffer = x.grad();
        x.zeroGrad();
        assertThat(x.grad()).isNull();
        Arithmetic.sum(Arithmetic.scale(x, 5)).backward();
        assertValues(x.grad(), 5, 5);
        assertThat(x.grad()).isSameAs(buffer);
    }

    @Test
    void sharedGradientIsNotCorruptedByAccumulation() {
        Tensor x = leaf(1);
        Tensor y = leaf(1);
        Tensor a = Arithmetic.scale(x, 1);
        Tensor b = Arithmetic.scale(y, 1);
        Tensor total = Arithmetic.add(Arithmetic.add(a, b), a);
        Tensor upstream = Tensor.of(new double[] {10}, 1);
        total.backward(upstream);
        // Addition gives one tensor to both sides; adding a's second gradient must not reach b or the caller.
        assertValues(x.grad(), 20);
        assertValues(y.grad(), 10);
        assertValues(upstream, 10);
    }

    @Test
    void gradientOfALeafIsItsOwnMemory() {
        Tensor x = leaf(1);
        Tensor upstream = Tensor.of(new double[] {10}, 1);
        Arithmetic.add(x, Tensor.of(new double[] {1}, 1)).backward(upstream);
        upstream.fill(99);
        assertValues(x.grad(), 10);
    }

    @Test
    void rulesMayMixTargetsAndGivenGradientsOfOneLeafInAnyOrder() {
        Tensor x = leaf(1);
        for (boolean targetFirst : new boolean[] {true, false}) {
            x.zeroGrad();
            Tensor output = Tensor.of(new double[] {0}, 1);
            Autograd.record("pair", Autograd.save(x, x), output, Autograd.saveNothing(), (_, grads) -> {
                int first = targetFirst ? 0 : 1;
                grads.target(1 - first).fill(3);
                grads.give(first, Tensor.full(Shape.of(1), DType.F64, 4));
                grads.give(first, Tensor.full(Shape.of(1), DType.F64, 5));
            });
            output.backward();
            assertValues(x.grad(), 8);
        }
    }

    @Test
    void whatIsWantedIsDecidedWhenRecording() {
        Tensor x = leaf(3);
        Tensor w = Tensor.of(new double[] {5}, 1);
        Tensor y = Arithmetic.mul(x, w);
        x.requireGrad(false);
        w.requireGrad(true);
        y.backward();
        assertValues(x.grad(), 5);
        assertThat(w.grad()).isNull();
    }

    // ---- memory ----

    @Test
    void backwardFreesWhatWasSaved() {
        Tensor x = Tensor.full(Shape.of(1000), DType.F64, 0.1).requireGrad(true);
        Tensor y = chain(x, 10);
        long before = backend.allocator().statistics().liveBytes();
        assertThat(scope.savedBytes()).isEqualTo(10 * 8000);
        y.backward(ones(y));
        assertThat(scope.savedBytes()).isZero();
        assertThat(scope.nodes()).allMatch(Node::isReleased);
        assertThat(backend.allocator().statistics().liveBytes()).isLessThan(before - 7 * 8000);
    }

    @Test
    void savedActivationsAreFreedWhileBackwardRuns() {
        Tensor x = Tensor.full(Shape.of(100_000), DType.F64, 0.1).requireGrad(true);
        Tensor y = chain(x, 20);
        Tensor upstream = ones(y);
        long peakBefore = backend.allocator().statistics().peakLiveBytes();
        y.backward(upstream);
        // Besides the activations, backward holds two gradients and the leaf's own.
        assertThat(backend.allocator().statistics().peakLiveBytes()).isLessThan(peakBefore + 3 * 1_000_000);
    }

    /** Sigmoids whose handles are closed: only the tape keeps their memory. */
    private Tensor chain(Tensor x, int length) {
        try (Scope _ = Scope.openLocal("chain")) {
            Tensor y = x;
            for (int i = 0; i < length; i++) {
                y = Activations.sigmoid(y);
            }
            return y.moveTo(scope);
        }
    }

    // ---- errors ----

    @Test
    void secondBackwardOverTheSameGraphIsRefused() {
        Tensor x = leaf(1);
        Tensor y = Activations.tanh(x);
        y.backward();
        assertThatThrownBy(y::backward)
                .isInstanceOf(AutogradException.class)
                .hasMessage(
                        "backward: the graph through tanh was already used by a backward pass, which freed what it had"
                                + " saved (compute the forward pass again, or call backward once on the sum of the"
                                + " losses)");
    }

    @Test
    void sharedPartOfTwoGraphsIsRefusedByName() {
        Tensor x = leaf(1);
        Context.get().setPath("trunk.act");
        Tensor shared = Activations.tanh(x);
        Context.get().setPath("");
        Tensor first = Arithmetic.scale(shared, 2);
        Tensor second = Arithmetic.scale(shared, 3);
        first.backward();
        assertThatThrownBy(second::backward)
                .isInstanceOf(AutogradException.class)
                .hasMessageStartingWith("backward: the graph through tanh 'trunk.act' was already used");
    }

    @Test
    void backwardNeedsARecordedTensor() {
        Tensor constant = Tensor.of(new double[] {1}, 1);
        assertThatThrownBy(constant::backward)
                .isInstanceOf(AutogradException.class)
                .hasMessage("backward: the tensor depends on no leaf that requires a gradient: tensor=F64[1]@reference"
                        + " (call requireGrad(true) on parameters, and compute outside noGrad)");
    }

    @Test
    void backwardWithoutGradientNeedsOneElement() {
        Tensor y = Activations.tanh(leaf(1, 2));
        assertThatThrownBy(y::backward)
                .isInstanceOf(ShapeException.class)
                .hasMessage(
                        "backward: without a gradient the tensor must have exactly one element: shape=[2] (reduce it"
                                + " with mean or sum, or pass a gradient)");
        assertThatThrownBy(() -> y.backward(Tensor.of(new double[] {1}, 1)))
                .isInstanceOf(ShapeException.class)
                .hasMessage("backward: the gradient must have the tensor's shape and dtype:"
                        + " gradient=F64[1]@reference, tensor=F64[2]@reference");
        y.backward(ones(y));
    }

    @Test
    void gradientOfTheWrongShapeOrTypeNamesTheOp() {
        Context.get().setPath("head");
        Tensor wide = Tensor.of(new double[] {1, 2}, 2);
        BackwardRule givesScalar = (_, grads) -> grads.give(0, Tensor.full(Shape.scalar(), DType.F64, 1));
        Autograd.record("bad", Autograd.save(leaf(1, 2)), wide, Autograd.saveNothing(), givesScalar);
        Tensor other = Tensor.of(new double[] {1, 2}, 2);
        BackwardRule givesFloats = (_, grads) -> grads.give(0, Tensor.zeros(Shape.of(2), DType.F32));
        Autograd.record("bad", Autograd.save(leaf(1, 2)), other, Autograd.saveNothing(), givesFloats);
        Context.get().setPath("");
        assertThatThrownBy(() -> wide.backward(ones(wide)))
                .isInstanceOf(AutogradException.class)
                .hasMessage("backward of bad: the gradient's shape must be the input's or one it broadcast to:"
                        + " gradient=[], input=[2]");
        assertThatThrownBy(() -> other.backward(ones(other)))
                .isInstanceOf(AutogradException.class)
                .hasMessage("backward of bad 'head': gradient and input must agree in shape and dtype:"
                        + " gradient=F32[2]@reference, input=F64[2]@reference");
        assertThat(Context.get().path()).isEmpty();
        assertThat(Scope.current()).isSameAs(scope);
    }
}
