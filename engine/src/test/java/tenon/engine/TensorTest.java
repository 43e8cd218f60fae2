package tenon.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import tenon.engine.backend.reference.ReferenceBackend;
import tenon.engine.ops.Activations;
import tenon.engine.ops.Arithmetic;
import tenon.engine.ops.Losses;

class TensorTest {
    private ReferenceBackend backend;
    private Scope scope;

    @BeforeEach
    void open() {
        backend = ReferenceBackend.open(1 << 20);
        scope = Scope.open("step", backend);
    }

    @AfterEach
    void close() {
        scope.close();
        assertThat(backend.allocator().statistics().liveBytes()).isZero();
        backend.close();
    }

    private static Tensor pair() {
        return Tensor.of(new float[] {1, 2}, 2);
    }

    @Test
    void useAfterCloseNamesTheTensorAndItsScope() {
        Tensor x = pair();
        x.close();
        x.close();
        String message = "used after it was closed: shape=[2], dtype=F32, scope=step (move it to an outer scope with"
                + " moveTo, or run with -Dtenon.debug=true to see where it was allocated)";
        assertThatThrownBy(x::toFloatArray).isInstanceOf(ClosedException.class).hasMessage("tensor: " + message);
        assertThatThrownBy(x::address).isInstanceOf(ClosedException.class);
        assertThatThrownBy(x::segment).isInstanceOf(ClosedException.class);
        assertThatThrownBy(() -> x.fill(1)).isInstanceOf(ClosedException.class);
        assertThatThrownBy(x::detach).isInstanceOf(ClosedException.class);
        assertThatThrownBy(x::backward).isInstanceOf(ClosedException.class);
        assertThatThrownBy(() -> x.copyFrom(pair())).isInstanceOf(ClosedException.class);
        assertThatThrownBy(() -> pair().copyFrom(x)).isInstanceOf(ClosedException.class);
        assertThatThrownBy(() -> Arithmetic.add(pair(), x)).isInstanceOf(ClosedException.class);
        Context.get().setPath("fc1");
        try {
            assertThatThrownBy(() -> Activations.relu(x)).hasMessage("tensor 'fc1': " + message);
        } finally {
            Context.get().setPath("");
        }
        assertThat(x).hasToString("F32[2]@reference (closed)");
    }

    @Test
    void outOfMemoryNamesBytesAndLimit() {
        Tensor.empty(Shape.of(150_000), DType.F32);
        Tensor cached = Tensor.empty(Shape.of(50_000), DType.F32);
        cached.close();
        assertThatThrownBy(() -> Tensor.empty(Shape.of(150_001), DType.F32))
                .isInstanceOf(OutOfMemoryException.class)
                .hasMessage("allocate: out of memory on cpu: wanted=600004 bytes, live=655360, cached=0, limit=1048576"
                        + " (use a smaller batch, close tensors earlier, or raise the limit with"
                        + " -Dtenon.memory.limit=BYTES)");
        Tensor.empty(Shape.of(50_000), DType.F32);
    }

    @Test
    void tensorsOfDifferentBackEndsDoNotMix() {
        Tensor a = pair();
        try (var other = ReferenceBackend.open();
                var _ = Scope.open("other", other)) {
            Tensor b = pair();
            assertThatThrownBy(() -> Arithmetic.add(a, b))
                    .isInstanceOf(DeviceException.class)
                    .hasMessage("add: all tensors must be on one back-end: F32[2]@reference, F32[2]@reference");
            assertThatThrownBy(() -> b.copyFrom(a)).isInstanceOf(ShapeException.class);
        }
    }

    @Test
    void unsupportedDTypesAreRefusedByOpAndBackEnd() {
        Tensor labels = Tensor.of(new int[] {1, 2}, 2);
        assertThatThrownBy(() -> Losses.softmax(labels))
                .isInstanceOf(DeviceException.class)
                .hasMessage("softmax: back-end reference has no SOFTMAX for I32 (see ./tenon doctor for the support"
                        + " matrix)");
        assertThatThrownBy(() -> pair().toIntArray())
                .isInstanceOf(DTypeException.class)
                .hasMessage("toIntArray: dtype must be I32: dtype=F32, shape=[2]");
        assertThatThrownBy(() -> labels.upload(new float[] {1, 2})).isInstanceOf(DTypeException.class);
        assertThatThrownBy(() -> labels.requireGrad(true))
                .isInstanceOf(DTypeException.class)
                .hasMessage("requireGrad: only floating dtypes have gradients: dtype=I32");
    }

    @Test
    void viewsShareMemoryUntilTheLastCloses() {
        Tensor x = Tensor.of(new float[] {1, 2, 3, 4}, 4);
        Tensor view = x.view(Shape.of(2, 2));
        assertThat(x.isShared()).isTrue();
        assertThat(view.sharesMemoryWith(x)).isTrue();
        view.fill(7);
        assertThat(x.toFloatArray()).containsOnly(7);
        x.close();
        assertThat(view.isShared()).isFalse();
        assertThat(view.toFloatArray()).containsOnly(7);
        assertThatThrownBy(() -> view.view(Shape.of(3)))
                .isInstanceOf(ShapeException.class)
                .hasMessage("reshape: the element count must stay the same: from=[2, 2] (4), to=[3] (3)");
    }

    @Test
    void handsOutItsBytes() {
        Tensor x = pair();
        assertThat(x.byteSize()).isEqualTo(8);
        assertThat(x.segment().byteSize()).isEqualTo(8);
        assertThat(x.address() % 64).isZero();
        assertThat(x.segment().address()).isEqualTo(x.address());
        byte[] bytes = new byte[8];
        x.download(MemorySegment.ofArray(bytes));
        assertThat(bytes).containsExactly(0, 0, (byte) 0x80, 0x3F, 0, 0, 0, 0x40);
        assertThat(x.device()).isEqualTo(Device.CPU);
    }

    @Test
    void itemNeedsExactlyOneElement() {
        assertThat(Tensor.of(new double[] {0.1}, 1, 1).item()).isEqualTo(0.1);
        assertThatThrownBy(() -> pair().item())
                .isInstanceOf(ShapeException.class)
                .hasMessage("item: the tensor must have exactly one element: shape=[2] (use mean or sum first?)");
    }

    @Test
    void everyDTypeReadsBackAsNumbers() {
        Tensor bytes = Tensor.empty(Shape.of(2), DType.U8);
        bytes.upload(MemorySegment.ofArray(new byte[] {(byte) 200, 3}));
        assertThat(bytes.toFloatArray()).containsExactly(200, 3);
        Tensor halves = Tensor.empty(Shape.of(2), DType.BF16);
        halves.upload(MemorySegment.ofArray(new short[] {0x3F80, (short) 0xC000}));
        assertThat(halves.toDoubleArray()).containsExactly(1, -2);
        assertThat(Tensor.of(new int[] {-5}, 1).toFloatArray()).containsExactly(-5);
        assertThat(Tensor.full(Shape.scalar(), DType.F64, Math.PI).toDoubleArray())
                .containsExactly(Math.PI);
    }

    @Test
    void onlyLeavesCanBeFrozen() {
        Tensor x = pair().requireGrad(true);
        Tensor y = Activations.relu(x);
        assertThat(y.requiresGrad()).isTrue();
        assertThat(y.isLeaf()).isFalse();
        assertThatThrownBy(() -> y.requireGrad(false))
                .isInstanceOf(AutogradException.class)
                .hasMessage("requireGrad: only leaves can be frozen; this is the result of relu (use detach)");
        assertThat(y.detach().requiresGrad()).isFalse();
        assertThat(x.requireGrad(false).requiresGrad()).isFalse();
    }
}
