package tenon.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import tenon.engine.backend.reference.ReferenceBackend;
import tenon.engine.ops.Activations;

class ScopeTest {
    private ReferenceBackend backend;

    @BeforeEach
    void open() {
        backend = ReferenceBackend.open();
    }

    @AfterEach
    void close() {
        assertThat(Scope.isOpen()).isFalse();
        assertThat(backend.allocator().statistics().liveBytes()).isZero();
        backend.close();
    }

    private static Tensor tensor() {
        return Tensor.zeros(Shape.of(2), DType.F32);
    }

    @Test
    void closingClosesWhatWasMadeInside() {
        Tensor outer;
        try (Scope model = Scope.open("model", backend)) {
            outer = tensor();
            Tensor inner;
            try (Scope step = Scope.open("step")) {
                inner = tensor();
                assertThat(step.parent()).isSameAs(model);
                assertThat(step.backend()).isSameAs(backend);
                assertThat(Scope.current()).isSameAs(step);
                assertThat(step.tensorCount()).isOne();
            }
            assertThat(inner.isClosed()).isTrue();
            assertThat(outer.isClosed()).isFalse();
            assertThat(Scope.current()).isSameAs(model);
        }
        assertThat(outer.isClosed()).isTrue();
    }

    @Test
    void closingTwiceIsHarmless() {
        Scope model = Scope.open("model", backend);
        Scope step = Scope.open("step");
        Tensor tensor = tensor();
        step.close();
        step.close();
        tensor.close();
        assertThat(Scope.current()).isSameAs(model);
        model.close();
        model.close();
    }

    @Test
    void onlyTheInnermostScopeCloses() {
        Scope model = Scope.open("model", backend);
        try (Scope _ = Scope.open("step")) {
            assertThatThrownBy(model::close)
                    .isInstanceOf(ClosedException.class)
                    .hasMessage("scope: 'model' must be the innermost open scope of the closing thread: innermost=step"
                            + " (close inner scopes first, on the thread that opened them)");
        }
        model.close();
    }

    @Test
    void anotherThreadCannotClose() throws InterruptedException {
        Scope model = Scope.open("model", backend);
        Throwable[] thrown = new Throwable[1];
        Thread thread = new Thread(model::close);
        thread.setUncaughtExceptionHandler((_, e) -> thrown[0] = e);
        thread.start();
        thread.join();
        assertThat(thrown[0]).isInstanceOf(ClosedException.class).hasMessageContaining("innermost=none");
        model.close();
    }

    @Test
    void tensorsNeedAScope() {
        assertThatThrownBy(ScopeTest::tensor)
                .isInstanceOf(ClosedException.class)
                .hasMessage("scope: a tensor needs an open scope on this thread: wrap the code in try (Scope scope ="
                        + " Scope.open(\"name\", backend)) { … }");
    }

    @Test
    void sealedScopeRefusesAllocationsAndViews() {
        try (Scope model = Scope.open("model", backend)) {
            Tensor before = tensor();
            long live = backend.allocator().statistics().liveBytes();
            model.seal();
            String message = "scope: 'model' is sealed: nothing may be allocated in it (open an inner scope around the"
                    + " code that allocates)";
            assertThatThrownBy(ScopeTest::tensor)
                    .isInstanceOf(ClosedException.class)
                    .hasMessage(message);
            assertThatThrownBy(before::detach).hasMessage(message);
            assertThat(before.isShared())
                    .as("the failed view keeps no reference")
                    .isFalse();
            assertThat(backend.allocator().statistics().liveBytes()).isEqualTo(live);
            try (Scope _ = Scope.open("step")) {
                Tensor inner = tensor();
                assertThatThrownBy(() -> inner.moveTo(model)).hasMessage(message);
                assertThat(inner.isClosed()).isFalse();
            }
            model.unseal();
            tensor();
        }
    }

    @Test
    void movedTensorLivesAsLongAsItsNewScope() {
        Scope closed;
        try (Scope model = Scope.open("model", backend)) {
            Tensor kept;
            try (Scope step = Scope.open("step")) {
                closed = step;
                kept = tensor();
                assertThat(kept.moveTo(model)).isSameAs(kept);
                assertThat(step.tensorCount()).isZero();
            }
            assertThat(kept.isClosed()).isFalse();
            assertThat(model.tensorCount()).isOne();
            assertThatThrownBy(() -> kept.moveTo(closed))
                    .isInstanceOf(ClosedException.class)
                    .hasMessage("scope: 'step' is closed: a tensor can only move to an open scope");
        }
    }

    @Test
    void closingATensorEarlyRemovesItFromItsScope() {
        try (Scope model = Scope.open("model", backend)) {
            Tensor a = tensor();
            Tensor b = tensor();
            a.close();
            assertThat(model.tensorCount()).isOne();
            b.close();
            assertThat(model.tensorCount()).isZero();
        }
    }

    @Test
    void closingFreesWhatTheTapeSaved() {
        try (Scope _ = Scope.open("model", backend)) {
            Tensor x = tensor().requireGrad(true);
            long before = backend.allocator().statistics().liveBytes();
            try (Scope step = Scope.open("step")) {
                Activations.sigmoid(x);
                assertThat(step.savedBytes()).isEqualTo(8);
                assertThat(step.nodes()).hasSize(1);
            }
            assertThat(backend.allocator().statistics().liveBytes()).isEqualTo(before);
        }
    }

    @Test
    void localScopeKeepsRecordedOps() {
        try (Scope step = Scope.open("step", backend)) {
            Tensor x = tensor().requireGrad(true);
            Tensor y;
            try (Scope layer = Scope.openLocal("layer")) {
                y = Activations.tanh(Activations.sigmoid(x)).moveTo(step);
                assertThat(layer.nodes()).isEmpty();
                assertThat(layer.tensorCount()).isOne();
            }
            assertThat(step.nodes()).hasSize(2);
            y.backward(Tensor.full(Shape.of(2), DType.F32, 1));
            assertThat(x.grad()).isNotNull();
        }
    }
}
