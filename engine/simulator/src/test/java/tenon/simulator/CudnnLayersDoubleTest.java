package tenon.simulator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.function.IntSupplier;
import org.junit.jupiter.api.Test;

/** Pooling, batch normalization, softmax and the elementwise calls of the double of cuDNN. */
class CudnnLayersDoubleTest extends CudnnFixture {
    private static final int MAX = 0;
    private static final int AVERAGE_INCLUDING = 1;
    private static final int AVERAGE_EXCLUDING = 2;
    private static final int SPATIAL = 1;
    private static final int PERSISTENT = 2;
    private static final float NAN = Float.NaN;

    // ---- Pooling ----

    private long pooling(int mode, int nan, int window, int pad, int stride) {
        long pooling = descriptor("Pooling");
        must(dnn.call("cudnnSetPooling2dDescriptor", pooling, mode, nan, window, window, pad, pad, stride, stride));
        return pooling;
    }

    private float[] pooled(int mode, int nan, float... x) {
        long xs = tensor(NHWC, FLOAT, 1, 1, 3, 3);
        long ys = tensor(NHWC, FLOAT, 1, 1, 2, 2);
        long y = memory(16);
        must(dnn.call(
                "cudnnPoolingForward",
                handle,
                pooling(mode, nan, 3, 1, 2),
                scalar(1),
                xs,
                floats(x),
                scalar(0),
                ys,
                y));
        return read(y, 4);
    }

    @Test
    void shouldPool() {
        assertThat(pooled(MAX, 1, 1, 2, 3, 4, 5, 6, 7, 8, 9)).containsExactly(5, 6, 8, 9);
        assertThat(pooled(AVERAGE_EXCLUDING, 1, 1, 2, 3, 4, 5, 6, 7, 8, 9)).containsExactly(3, 4, 6, 7);
        assertThat(pooled(AVERAGE_INCLUDING, 1, 9, 18, 27, 36, 45, 54, 63, 72, 81))
                .containsExactly(12, 16, 24, 28);
        assertThat(pooled(MAX, 1, NAN, 2, 3, 4, 5, 6, 7, 8, 9)).containsExactly(NAN, 6, 8, 9);
        assertThat(pooled(MAX, 0, NAN, 2, 3, 4, 5, 6, 7, 8, 9)).containsExactly(5, 6, 8, 9);
        assertThat(pooled(MAX, 1, -1, -2, -3, -4, -5, -6, -7, -8, -9))
                .as("padding is no zero")
                .containsExactly(-1, -2, -4, -5);
    }

    private float[] unpooled(int mode, float[] x, float[] y, float... dy) {
        long xs = tensor(NHWC, FLOAT, 1, 1, 3, 3);
        long ys = tensor(NHWC, FLOAT, 1, 1, 2, 2);
        long dx = memory(36);
        must(dnn.call(
                "cudnnPoolingBackward",
                handle,
                pooling(mode, 1, 3, 1, 2),
                scalar(1),
                ys,
                floats(y),
                ys,
                floats(dy),
                xs,
                floats(x),
                scalar(0),
                xs,
                dx));
        return read(dx, 9);
    }

    @Test
    void shouldSpreadGradientsOfPooling() {
        float[] x = {1, 2, 3, 4, 5, 6, 7, 8, 9};
        float[] y = {5, 6, 8, 9};
        assertThat(unpooled(MAX, x, y, 1, 2, 4, 8)).containsExactly(0, 0, 0, 0, 1, 2, 0, 4, 8);
        float[] equal = {1, 1, 1, 1, 1, 1, 1, 1, 1};
        assertThat(unpooled(3, equal, new float[] {1, 1, 1, 1}, 1, 2, 4, 8))
                .as("to the first of equals")
                .containsExactly(1, 2, 0, 4, 8, 0, 0, 0, 0);
        assertThat(unpooled(AVERAGE_EXCLUDING, x, y, 4, 4, 4, 4)).containsExactly(1, 2, 1, 2, 4, 2, 1, 2, 1);
        assertThat(unpooled(AVERAGE_INCLUDING, x, y, 9, 9, 9, 9)).containsExactly(1, 2, 1, 2, 4, 2, 1, 2, 1);
    }

    @Test
    void shouldRefuseWrongPooling() {
        long xs = tensor(NHWC, FLOAT, 1, 1, 3, 3);
        long pooling = pooling(MAX, 1, 3, 1, 2);
        long x = memory(36);
        long y = memory(36);
        long ceiled = tensor(NHWC, FLOAT, 1, 1, 3, 2);
        assertThat(dnn.call("cudnnPoolingForward", handle, pooling, scalar(1), xs, x, scalar(0), ceiled, y))
                .isEqualTo(BAD_PARAM);
        lastErrorSays("spatial dimension 0");
        long halved = tensor(NHWC, HALF, 1, 1, 2, 2);
        assertThat(dnn.call("cudnnPoolingForward", handle, pooling, scalar(1), xs, x, scalar(0), halved, y))
                .isEqualTo(BAD_PARAM);
        assertThat(dnn.call("cudnnSetPooling2dDescriptor", pooling, MAX, 1, 2, 2, -1, 0, 1, 1))
                .as("padding")
                .isEqualTo(BAD_PARAM);
        assertThat(dnn.call("cudnnSetPooling2dDescriptor", pooling, 4, 1, 2, 2, 0, 0, 1, 1))
                .as("mode")
                .isEqualTo(BAD_PARAM);
    }

    @Test
    void shouldWantTheOperandsOfTheForwardCall() {
        float[] x = {1, 2, 3, 4, 5, 6, 7, 8, 9};
        unpooled(3, x, new float[] {5, 6, 8, 8}, 1, 2, 4, 8);
        violated("y is not what the forward call makes of x");
        assertThat(unpooled(AVERAGE_EXCLUDING, x, new float[] {0, 0, 0, 0}, 4, 4, 4, 4))
                .as("averages need no y")
                .containsExactly(1, 2, 1, 2, 4, 2, 1, 2, 1);
        long xs = tensor(NHWC, FLOAT, 1, 1, 3, 3);
        long ys = tensor(NHWC, FLOAT, 1, 1, 2, 2);
        long y = floats(5, 6, 8, 9);
        long dx = memory(40);
        Object[] backward = {
            handle, pooling(3, 1, 3, 1, 2), scalar(1), ys, y, ys, floats(1, 1, 1, 1), xs, floats(x), scalar(0), xs, dx
        };
        int[] places = {5, 10};
        long[] wrong = {xs, ys};
        for (int i = 0; i < places.length; i++) {
            Object right = backward[places[i]];
            backward[places[i]] = wrong[i];
            assertThat(dnn.call("cudnnPoolingBackward", backward)).isEqualTo(BAD_PARAM);
            lastErrorSays("a gradient differs from its tensor");
            backward[places[i]] = right;
        }
        backward[11] = backward[8];
        assertThat(dnn.call("cudnnPoolingBackward", backward)).as("dx over x").isEqualTo(EXECUTION_FAILED);
        violated("x and dx overlap");
        backward[11] = dx + 2;
        assertThat(dnn.call("cudnnPoolingBackward", backward)).isEqualTo(EXECUTION_FAILED);
        violated("dx is at");
        backward[11] = dx;
        long other = dnn.create("cudnnCreate");
        backward[0] = other;
        assertThat(dnn.call("cudnnPoolingBackward", backward)).isEqualTo(EXECUTION_FAILED);
        violated("the handle was given no stream");
        must(dnn.call("cudnnDestroy", other));
    }

    // ---- Batch normalization ----

    @Test
    void shouldNormalizeByHand() {
        // Two channels: 1 3 5 7 (mean 4, variance 5) and 0 0 0 8 (mean 2, variance 12).
        long xs = tensor(NHWC, FLOAT, 2, 2, 1, 2);
        long parameters = descriptor("Tensor");
        must(dnn.call("cudnnDeriveBNTensorDescriptor", parameters, xs, SPATIAL));
        long x = floats(1, 0, 3, 0, 5, 0, 7, 8);
        long scale = floats(2, 1);
        long y = memory(32);
        long runningMean = floats(10, 10);
        long runningVariance = floats(1, 1);
        long mean = memory(8);
        long inverse = memory(8);
        must(dnn.call(
                "cudnnBatchNormalizationForwardTraining",
                handle,
                SPATIAL,
                scalar(1),
                scalar(0),
                xs,
                x,
                xs,
                y,
                parameters,
                scale,
                floats(1, 0),
                0.1,
                runningMean,
                runningVariance,
                4.0,
                mean,
                inverse));
        assertThat(read(y, 8))
                .containsExactly(new float[] {-1, -0.5f, 1 / 3f, -0.5f, 5 / 3f, -0.5f, 3, 1.5f}, within(1e-6f));
        assertThat(read(mean, 2)).containsExactly(4, 2);
        assertThat(read(inverse, 2)).containsExactly(new float[] {1 / 3f, 0.25f}, within(1e-7f));
        assertThat(read(runningMean, 2)).containsExactly(new float[] {9.4f, 9.2f}, within(1e-6f));
        // The running variance is the unbiased one.
        assertThat(read(runningVariance, 2))
                .containsExactly(new float[] {0.9f + 0.5f * 4 / 3, 0.9f + 1.2f * 4 / 3}, within(1e-6f));

        must(dnn.call(
                "cudnnBatchNormalizationForwardInference",
                handle,
                SPATIAL,
                scalar(1),
                scalar(0),
                xs,
                x,
                xs,
                y,
                parameters,
                scale,
                floats(1, 0),
                floats(1, 0),
                floats(5, 12),
                4.0));
        assertThat(read(y, 8)).containsExactly(new float[] {1, 0, 1 + 4 / 3f, 0, 1 + 8 / 3f, 0, 5, 2}, within(1e-6f));

        long dx = memory(32);
        long dScale = memory(8);
        long dBias = memory(8);
        for (boolean saved : new boolean[] {true, false}) {
            must(dnn.call(
                    "cudnnBatchNormalizationBackward",
                    handle,
                    SPATIAL,
                    scalar(1),
                    scalar(0),
                    scalar(1),
                    scalar(0),
                    xs,
                    x,
                    xs,
                    floats(1, 0, 0, 0, 0, 0, 0, 0),
                    xs,
                    dx,
                    parameters,
                    scale,
                    dScale,
                    dBias,
                    4.0,
                    saved ? mean : NULL,
                    saved ? inverse : NULL));
            // d x = 2 / 3 (g - 1/4 - n sum(g n) / 4) with normals n = -1, -1/3, 1/3, 1.
            assertThat(read(dx, 8))
                    .containsExactly(new float[] {1 / 3f, 0, -2 / 9f, 0, -1 / 9f, 0, 0, 0}, within(1e-6f));
            assertThat(read(dScale, 2)).containsExactly(new float[] {-1, 0}, within(1e-6f));
            assertThat(read(dBias, 2)).containsExactly(1, 0);
        }
    }

    @Test
    void shouldFuseForHalfPrecisionOnly() {
        long relu = activation(1, 0, 0);
        for (int type : new int[] {FLOAT, BF16}) {
            long xs = tensor(NHWC, type, 2, 4, 1, 1);
            long parameters = descriptor("Tensor");
            must(dnn.call("cudnnDeriveBNTensorDescriptor", parameters, xs, PERSISTENT));
            assertThat(dnn.call(
                            "cudnnGetBatchNormalizationForwardTrainingExWorkspaceSize",
                            handle,
                            PERSISTENT,
                            1,
                            xs,
                            NULL,
                            xs,
                            parameters,
                            relu,
                            arena.allocate(8)))
                    .isEqualTo(NOT_SUPPORTED);
        }
        long odd = tensor(NHWC, HALF, 2, 6, 1, 1);
        assertThat(dnn.call(
                        "cudnnGetBatchNormalizationTrainingExReserveSpaceSize",
                        handle,
                        PERSISTENT,
                        2,
                        relu,
                        odd,
                        arena.allocate(8)))
                .isEqualTo(NOT_SUPPORTED);
        must(dnn.call(
                "cudnnGetBatchNormalizationTrainingExReserveSpaceSize",
                handle,
                PERSISTENT,
                1,
                relu,
                odd,
                arena.allocate(8)));
        assertThat(dnn.call(
                        "cudnnGetBatchNormalizationTrainingExReserveSpaceSize",
                        handle,
                        PERSISTENT,
                        1,
                        activation(4, 0, 1),
                        odd,
                        arena.allocate(8)))
                .as("ELU")
                .isEqualTo(NOT_SUPPORTED);
    }

    /** Four images of one channel through the extended calls: the arguments by number, for a test to change. */
    private final class Extended {
        final long xs = tensor(NHWC, FLOAT, 4, 1, 1, 1);
        final long parameters = descriptor("Tensor");
        final Object[] forward;
        final Object[] backward;
        final long work;
        final long kept;
        final long reserve;
        final long y = memory(16);
        final long dx = memory(16);

        Extended() {
            must(dnn.call("cudnnDeriveBNTensorDescriptor", parameters, xs, PERSISTENT));
            work = size(
                    "cudnnGetBatchNormalizationForwardTrainingExWorkspaceSize",
                    handle,
                    PERSISTENT,
                    0,
                    xs,
                    NULL,
                    xs,
                    parameters,
                    NULL);
            kept = size("cudnnGetBatchNormalizationTrainingExReserveSpaceSize", handle, PERSISTENT, 0, NULL, xs);
            long workspace = memory(work + 256);
            reserve = memory(kept + 16);
            long x = floats(1, 3, 5, 7);
            long mean = memory(4);
            long inverse = memory(4);
            forward = new Object[] {
                handle,
                PERSISTENT,
                0,
                scalar(1),
                scalar(0),
                xs,
                x,
                NULL,
                NULL,
                xs,
                y,
                parameters,
                floats(3),
                floats(0),
                1.0,
                NULL,
                NULL,
                4.0,
                mean,
                inverse,
                NULL,
                workspace,
                work,
                reserve,
                kept
            };
            backward = new Object[] {
                handle,
                PERSISTENT,
                0,
                scalar(1),
                scalar(0),
                scalar(1),
                scalar(0),
                xs,
                x,
                NULL,
                NULL,
                xs,
                floats(1, 0, 0, 0),
                NULL,
                NULL,
                xs,
                dx,
                parameters,
                floats(3),
                NULL,
                memory(4),
                memory(4),
                4.0,
                mean,
                inverse,
                NULL,
                workspace,
                work,
                reserve,
                kept
            };
        }

        int forward() {
            return dnn.call("cudnnBatchNormalizationForwardTrainingEx", forward);
        }

        int backward() {
            return dnn.call("cudnnBatchNormalizationBackwardEx", backward);
        }

        /** Calls with other arguments for a moment, counted from the end. */
        int forwardWith(int fromEnd, Object other) {
            return with(forward, fromEnd, other, this::forward);
        }

        int backwardWith(int fromEnd, Object other) {
            return with(backward, fromEnd, other, this::backward);
        }

        private int with(Object[] arguments, int fromEnd, Object other, IntSupplier call) {
            Object right = arguments[arguments.length - fromEnd];
            arguments[arguments.length - fromEnd] = other;
            int status = call.getAsInt();
            arguments[arguments.length - fromEnd] = right;
            return status;
        }
    }

    @Test
    void shouldKeepTheReserveSpace() {
        Extended calls = new Extended();
        assertThat(calls.kept).isPositive();
        must(calls.forward());
        assertThat(read(calls.y, 4)).containsExactly(new float[] {-3, -1, 1, 3}, within(1e-6f));
        must(calls.backward());
        assertThat(read(calls.dx, 4)).containsExactly(new float[] {0.5f, -1 / 3f, -1 / 6f, 0}, within(1e-6f));
        must(driver.call("cuMemsetD8Async", calls.reserve, 0, calls.kept, stream));
        must(calls.backward());
        synchronize();
        violated("reserve space");
    }

    @Test
    void shouldWantTheSpaceThatItAskedFor() {
        Extended calls = new Extended();
        assertThat(calls.work).isPositive();
        assertThat(calls.forwardWith(1, calls.kept - 1)).as("reserve space").isEqualTo(BAD_PARAM);
        assertThat(calls.forwardWith(2, NULL)).as("no reserve space").isEqualTo(BAD_PARAM);
        assertThat(calls.forwardWith(3, calls.work - 1)).as("workspace").isEqualTo(BAD_PARAM);
        assertThat(calls.forwardWith(4, NULL)).as("no workspace").isEqualTo(BAD_PARAM);
        must(calls.forward());
        assertThat(calls.backwardWith(1, calls.kept - 1)).as("reserve space").isEqualTo(BAD_PARAM);
        assertThat(calls.backwardWith(2, NULL)).as("no reserve space").isEqualTo(BAD_PARAM);
        assertThat(calls.backwardWith(3, calls.work - 1)).as("workspace").isEqualTo(BAD_PARAM);
        assertThat(calls.backwardWith(4, NULL)).as("no workspace").isEqualTo(BAD_PARAM);
        synchronize();
    }

    @Test
    void shouldWantAlignedMemoryThatDoesNotOverlap() {
        Extended calls = new Extended();
        assertThat(calls.forwardWith(2, calls.reserve + 8)).isEqualTo(EXECUTION_FAILED);
        violated("reserve space is at");
        assertThat(calls.forwardWith(4, (long) calls.forward[calls.forward.length - 4] + 16))
                .isEqualTo(EXECUTION_FAILED);
        violated("workspace is at");
        assertThat(calls.forwardWith(15, calls.forward[6])).as("y in place").isEqualTo(EXECUTION_FAILED);
        violated("x and y overlap");
        assertThat(calls.backwardWith(14, calls.backward[12])).as("dx in place").isEqualTo(EXECUTION_FAILED);
        violated("dy and dx overlap");
        assertThat(calls.forwardWith(2, calls.forward[calls.forward.length - 4]))
                .as("one memory for both spaces")
                .isEqualTo(EXECUTION_FAILED);
        violated("workspace and reserve space overlap");
    }

    @Test
    void shouldWantAHandleWithAStream() {
        Extended calls = new Extended();
        long other = dnn.create("cudnnCreate");
        assertThat(calls.forwardWith(calls.forward.length, other)).isEqualTo(EXECUTION_FAILED);
        violated("the handle was given no stream");
        assertThat(calls.backwardWith(calls.backward.length, other)).isEqualTo(EXECUTION_FAILED);
        violated("the handle was given no stream");
        must(dnn.call("cudnnDestroy", other));
    }

    @Test
    void shouldWantBothCallsToAgree() {
        Extended calls = new Extended();
        must(calls.forward());
        must(calls.backwardWith(8, 5.0));
        synchronize();
        violated("epsilon");
        calls.forward[1] = SPATIAL;
        must(calls.forward());
        must(driver.call("cuMemsetD8Async", calls.reserve, 0, calls.kept, stream));
        must(calls.backward());
        synchronize();
        violated("this mode");
    }

    @Test
    void shouldWantDescriptorsThatFit() {
        Extended calls = new Extended();
        long two = tensor(NHWC, FLOAT, 4, 2, 1, 1);
        long halves = tensor(NHWC, HALF, 4, 1, 1, 1);
        for (long wrong : new long[] {two, halves, calls.parameters}) {
            assertThat(calls.forwardWith(16, wrong)).as("y").isEqualTo(BAD_PARAM);
            assertThat(calls.backwardWith(15, wrong)).as("dx").isEqualTo(BAD_PARAM);
            assertThat(calls.backwardWith(19, wrong)).as("dy").isEqualTo(BAD_PARAM);
        }
        assertThat(calls.forwardWith(14, calls.xs)).as("parameters").isEqualTo(BAD_PARAM);
        assertThat(calls.backwardWith(13, calls.xs)).as("parameters").isEqualTo(BAD_PARAM);
        long xs = tensor(NHWC, FLOAT, 2, 2, 2, 2);
        long turned = tensor(NCHW, FLOAT, 2, 2, 2, 2);
        long parameters = descriptor("Tensor");
        must(dnn.call("cudnnDeriveBNTensorDescriptor", parameters, xs, PERSISTENT));
        calls.forward[5] = xs;
        calls.forward[9] = turned;
        calls.forward[11] = parameters;
        assertThat(calls.forward()).isEqualTo(BAD_PARAM);
        lastErrorSays("some are NHWC and some are not");
    }

    @Test
    void shouldRefuseWrongNormalization() {
        long xs = tensor(NHWC, FLOAT, 2, 2, 1, 1);
        long flat = tensor(NHWC, FLOAT, 1, 3, 1, 1);
        long x = floats(1, 2, 3, 4);
        long y = memory(16);
        long two = floats(1, 1);
        assertThat(dnn.call(
                        "cudnnBatchNormalizationForwardTraining",
                        handle,
                        SPATIAL,
                        scalar(1),
                        scalar(0),
                        xs,
                        x,
                        xs,
                        y,
                        flat,
                        two,
                        two,
                        1.0,
                        NULL,
                        NULL,
                        1e-5,
                        NULL,
                        NULL))
                .as("three parameters for two channels")
                .isEqualTo(BAD_PARAM);
        long parameters = tensor(NHWC, FLOAT, 1, 2, 1, 1);
        assertThat(dnn.call(
                        "cudnnBatchNormalizationForwardTraining",
                        handle,
                        SPATIAL,
                        scalar(1),
                        scalar(0),
                        xs,
                        x,
                        xs,
                        y,
                        parameters,
                        two,
                        two,
                        1.0,
                        two,
                        NULL,
                        1e-5,
                        NULL,
                        NULL))
                .as("running mean without variance")
                .isEqualTo(BAD_PARAM);
        assertThat(dnn.call(
                        "cudnnBatchNormalizationForwardTraining",
                        handle,
                        SPATIAL,
                        scalar(1),
                        scalar(0),
                        xs,
                        x,
                        xs,
                        y,
                        parameters,
                        two,
                        two,
                        1.0,
                        NULL,
                        NULL,
                        -1.0,
                        NULL,
                        NULL))
                .as("epsilon")
                .isEqualTo(BAD_PARAM);
        long halves = tensor(NHWC, BF16, 2, 2, 1, 1);
        long halfParameters = tensor(NHWC, BF16, 1, 2, 1, 1);
        assertThat(dnn.call(
                        "cudnnBatchNormalizationForwardTraining",
                        handle,
                        SPATIAL,
                        scalar(1),
                        scalar(0),
                        halves,
                        x,
                        halves,
                        y,
                        halfParameters,
                        two,
                        two,
                        1.0,
                        NULL,
                        NULL,
                        1e-5,
                        NULL,
                        NULL))
                .as("parameters are single precision")
                .isEqualTo(BAD_PARAM);
    }

    // ---- Softmax and elementwise calls ----

    @Test
    void shouldSoften() {
        long xs = tensor(NHWC, FLOAT, 1, 2, 1, 2);
        long x = floats(0, (float) Math.log(3), 200, 200);
        long y = memory(16);
        must(dnn.call("cudnnSoftmaxForward", handle, 1, 1, scalar(1), xs, x, scalar(0), xs, y));
        assertThat(read(y, 4)).containsExactly(new float[] {0.25f, 0.75f, 0.5f, 0.5f}, within(1e-6f));
        long dx = memory(16);
        must(dnn.call(
                "cudnnSoftmaxBackward", handle, 1, 1, scalar(1), xs, y, xs, floats(1, 0, 0, 1), scalar(0), xs, dx));
        assertThat(read(dx, 4)).containsExactly(new float[] {0.1875f, -0.1875f, -0.25f, 0.25f}, within(1e-6f));
        must(dnn.call("cudnnSoftmaxForward", handle, 2, 1, scalar(1), xs, x, scalar(0), xs, y));
        assertThat(read(y, 2))
                .containsExactly(new float[] {(float) Math.log(0.25), (float) Math.log(0.75)}, within(1e-6f));
        must(dnn.call("cudnnSoftmaxForward", handle, 0, 1, scalar(1), xs, x, scalar(0), xs, y));
        assertThat(read(y, 4)[2]).as("the fast one overflows").isNaN();
    }

    @Test
    void shouldActivate() {
        long xs = tensor(NHWC, FLOAT, 1, 1, 1, 4);
        long x = floats(-1, 0, 2, NAN);
        long y = memory(16);
        must(dnn.call("cudnnActivationForward", handle, activation(1, 1, 0), scalar(1), xs, x, scalar(0), xs, y));
        assertThat(read(y, 4)).containsExactly(0, 0, 2, NAN);
        must(dnn.call("cudnnActivationForward", handle, activation(1, 0, 0), scalar(1), xs, x, scalar(0), xs, y));
        assertThat(read(y, 4)).containsExactly(0, 0, 2, 0);
        must(dnn.call("cudnnActivationForward", handle, activation(4, 1, 2), scalar(1), xs, x, scalar(0), xs, y));
        assertThat(read(y, 3)).containsExactly(new float[] {2 * (float) Math.expm1(-1), 0, 2}, within(1e-6f));
        long dx = memory(16);
        must(dnn.call(
                "cudnnActivationBackward",
                handle,
                activation(4, 1, 2),
                scalar(1),
                xs,
                y,
                xs,
                floats(1, 1, 1, 1),
                xs,
                x,
                scalar(0),
                xs,
                dx));
        assertThat(read(dx, 3)).containsExactly(new float[] {2 * (float) Math.exp(-1), 2, 1}, within(1e-6f));
        assertThat(dnn.call("cudnnActivationForward", handle, activation(5, 1, 0), scalar(1), xs, x, scalar(0), xs, y))
                .as("identity")
                .isEqualTo(NOT_SUPPORTED);
    }

    @Test
    void shouldAddScaleAndReduce() {
        long xs = tensor(NHWC, FLOAT, 1, 2, 1, 2);
        long bias = tensor(NHWC, FLOAT, 1, 2, 1, 1);
        long c = floats(1, 2, 3, 4);
        must(dnn.call("cudnnAddTensor", handle, scalar(1), bias, floats(10, 20), scalar(2), xs, c));
        assertThat(read(c, 4)).containsExactly(12, 24, 16, 28);
        must(dnn.call("cudnnScaleTensor", handle, xs, c, scalar(0.5f)));
        assertThat(read(c, 4)).containsExactly(6, 12, 8, 14);
        long reduce = descriptor("ReduceTensor");
        must(dnn.call("cudnnSetReduceTensorDescriptor", reduce, 0, FLOAT, 1, 0, 0));
        long bytes = size("cudnnGetReductionWorkspaceSize", handle, reduce, xs, bias);
        long sums = memory(8);
        must(dnn.call(
                "cudnnReduceTensor",
                handle,
                reduce,
                NULL,
                0L,
                memory(bytes),
                bytes,
                scalar(1),
                xs,
                c,
                scalar(0),
                bias,
                sums));
        assertThat(read(sums, 2)).containsExactly(14, 26);
        assertThat(dnn.call(
                        "cudnnReduceTensor",
                        handle,
                        reduce,
                        NULL,
                        0L,
                        NULL,
                        0L,
                        scalar(1),
                        xs,
                        c,
                        scalar(0),
                        bias,
                        sums))
                .isEqualTo(BAD_PARAM);
        must(dnn.call("cudnnSetTensor", handle, xs, c, scalar(7)));
        assertThat(read(c, 4)).containsExactly(7, 7, 7, 7);
        long op = descriptor("OpTensor");
        must(dnn.call("cudnnSetOpTensorDescriptor", op, 1, FLOAT, 1));
        must(dnn.call("cudnnOpTensor", handle, op, scalar(1), xs, c, scalar(2), bias, floats(1, 2), scalar(0), xs, c));
        assertThat(read(c, 4)).containsExactly(14, 28, 14, 28);
        long wrong = tensor(NHWC, FLOAT, 1, 3, 1, 1);
        assertThat(dnn.call("cudnnAddTensor", handle, scalar(1), wrong, floats(1, 2, 3), scalar(1), xs, c))
                .isEqualTo(BAD_PARAM);
        must(dnn.call(
                "cudnnTransformTensor",
                handle,
                scalar(1),
                xs,
                floats(1, 2, 3, 4),
                scalar(0),
                tensor(NCHW, FLOAT, 1, 2, 1, 2),
                c));
        assertThat(read(c, 4)).containsExactly(1, 3, 2, 4);
    }
}
