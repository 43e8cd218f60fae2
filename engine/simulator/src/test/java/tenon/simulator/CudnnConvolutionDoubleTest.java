package tenon.simulator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The legacy convolution calls of the double of cuDNN. */
class CudnnConvolutionDoubleTest extends CudnnFixture {
    private static final int DEFAULT_MATH = 0;
    private static final int FMA_MATH = 3;
    private static final int IMPLICIT_GEMM = 0;
    private static final int PRECOMPUTED_GEMM = 1;
    private static final int WINOGRAD = 6;

    /** Descriptors of one convolution. */
    private record Case(DirectConvolution size, long x, long w, long y, long convolution) {}

    private Case described(DirectConvolution d, int format, int type, int math) {
        return new Case(
                d,
                tensor(format, type, d.n(), d.c(), d.h(), d.w()),
                filter(format, type, d.k(), d.c() / d.groups(), d.r(), d.s()),
                tensor(format, type, d.n(), d.k(), d.p(), d.q()),
                convolution(
                        d.top(), d.left(), d.strideY(), d.strideX(), d.dilationY(), d.dilationX(), d.groups(), math));
    }

    private int forward(
            Case c, int algorithm, long x, long w, long y, long workspace, long bytes, float alpha, float beta) {
        return dnn.call(
                "cudnnConvolutionForward",
                handle,
                scalar(alpha),
                c.x,
                x,
                c.w,
                w,
                c.convolution,
                algorithm,
                workspace,
                bytes,
                scalar(beta),
                c.y,
                y);
    }

    private static final List<DirectConvolution> SIZES = List.of(
            DirectConvolution.of(1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 1, 1, 1),
            DirectConvolution.of(2, 3, 7, 5, 4, 3, 3, 1, 1, 1, 1, 1, 1, 1),
            DirectConvolution.of(3, 8, 9, 9, 6, 3, 2, 1, 1, 0, 0, 2, 1, 2),
            DirectConvolution.of(2, 6, 8, 7, 6, 3, 3, 2, 2, 2, 2, 1, 2, 6),
            DirectConvolution.of(2, 5, 6, 6, 33, 1, 1, 0, 0, 0, 0, 1, 1, 1),
            DirectConvolution.of(2, 3, 11, 11, 7, 5, 5, 2, 2, 2, 2, 4, 1, 1));

    @Test
    void shouldConvolveByHand() {
        // x = [1 2 3; 4 5 6; 7 8 9], w = [1 0; 0 -1]: every output is x[i, j] - x[i + 1, j + 1] = -4.
        Case c = described(DirectConvolution.of(1, 1, 3, 3, 1, 2, 2, 0, 0, 0, 0, 1, 1, 1), NHWC, FLOAT, FMA_MATH);
        long y = memory(16);
        must(forward(c, IMPLICIT_GEMM, floats(1, 2, 3, 4, 5, 6, 7, 8, 9), floats(1, 0, 0, -1), y, NULL, 0, 1, 0));
        assertThat(read(y, 4)).containsExactly(-4, -4, -4, -4);
        must(forward(c, IMPLICIT_GEMM, floats(1, 2, 3, 4, 5, 6, 7, 8, 9), floats(1, 0, 0, -1), y, NULL, 0, 0.5f, 2));
        assertThat(read(y, 4)).containsExactly(-10, -10, -10, -10);
    }

    @Test
    void shouldTurnTheFilterAroundInConvolutionMode() {
        Case c = described(DirectConvolution.of(1, 1, 2, 2, 1, 2, 2, 0, 0, 0, 0, 1, 1, 1), NHWC, FLOAT, FMA_MATH);
        must(dnn.call("cudnnSetConvolution2dDescriptor", c.convolution, 0, 0, 1, 1, 1, 1, 0, FLOAT));
        long y = memory(4);
        must(forward(c, IMPLICIT_GEMM, floats(1, 2, 3, 4), floats(1, 10, 100, 1000), y, NULL, 0, 1, 0));
        assertThat(read(y, 1)).containsExactly(4 + 30 + 200 + 1000);
    }

    @Test
    void shouldMatchSevenLoops() {
        for (DirectConvolution d : SIZES) {
            Case c = described(d, NHWC, FLOAT, FMA_MATH);
            float[] x = random(1, d.inputs());
            float[] w = random(2, d.weights());
            float[] dy = random(3, d.outputs());
            for (int algorithm : new int[] {0, 1}) {
                long bytes = size(
                        "cudnnGetConvolutionForwardWorkspaceSize", handle, c.x, c.w, c.convolution, c.y, algorithm);
                long workspace = bytes == 0 ? NULL : memory(bytes);
                long y = memory(4L * d.outputs());
                must(forward(c, algorithm, floats(x), floats(w), y, workspace, bytes, 1, 0));
                same(read(y, d.outputs()), d.forward(x, w));

                bytes = size(
                        "cudnnGetConvolutionBackwardDataWorkspaceSize",
                        handle,
                        c.w,
                        c.y,
                        c.convolution,
                        c.x,
                        algorithm);
                workspace = bytes == 0 ? NULL : memory(bytes);
                long dx = memory(4L * d.inputs());
                must(dnn.call(
                        "cudnnConvolutionBackwardData",
                        handle,
                        scalar(1),
                        c.w,
                        floats(w),
                        c.y,
                        floats(dy),
                        c.convolution,
                        algorithm,
                        workspace,
                        bytes,
                        scalar(0),
                        c.x,
                        dx));
                same(read(dx, d.inputs()), d.gradInput(w, dy));

                bytes = size(
                        "cudnnGetConvolutionBackwardFilterWorkspaceSize",
                        handle,
                        c.x,
                        c.y,
                        c.convolution,
                        c.w,
                        algorithm);
                workspace = bytes == 0 ? NULL : memory(bytes);
                long dw = memory(4L * d.weights());
                must(dnn.call(
                        "cudnnConvolutionBackwardFilter",
                        handle,
                        scalar(1),
                        c.x,
                        floats(x),
                        c.y,
                        floats(dy),
                        c.convolution,
                        algorithm,
                        workspace,
                        bytes,
                        scalar(0),
                        c.w,
                        dw));
                same(read(dw, d.weights()), d.gradWeight(x, dy));
            }
        }
    }

    private static void same(float[] result, double[] expected) {
        for (int i = 0; i < expected.length; i++) {
            assertThat(result[i]).as("element %d", i).isCloseTo((float) expected[i], within(1e-4f));
        }
    }

    @Test
    void shouldReadChannelsFirst() {
        DirectConvolution d = DirectConvolution.of(2, 3, 4, 5, 2, 3, 3, 1, 1, 1, 1, 1, 1, 1);
        Case c = described(d, NCHW, FLOAT, FMA_MATH);
        float[] x = random(1, d.inputs());
        float[] w = random(2, d.weights());
        long y = memory(4L * d.outputs());
        must(forward(c, IMPLICIT_GEMM, floats(first(x, 2, 20, 3)), floats(first(w, 2, 9, 3)), y, NULL, 0, 1, 0));
        same(last(read(y, d.outputs()), 2, 20, 2), d.forward(x, w));
    }

    /** [n, pixels, channels] to [n, channels, pixels]. */
    private static float[] first(float[] values, int n, int pixels, int channels) {
        return last(values, n, channels, pixels);
    }

    /** [n, channels, pixels] to [n, pixels, channels]. */
    private static float[] last(float[] values, int n, int pixels, int channels) {
        float[] result = new float[values.length];
        for (int i = 0; i < values.length; i++) {
            int image = i / (pixels * channels);
            int channel = i / pixels % channels;
            int pixel = i % pixels;
            result[(image * pixels + pixel) * channels + channel] = values[i];
        }
        return result;
    }

    @Test
    void shouldRoundToTf32UnlessForbidden() {
        DirectConvolution d = DirectConvolution.of(1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 1, 1, 1);
        float above = 1 + 0x1p-12f;
        long x = floats(above);
        long w = floats(1);
        long y = memory(4);
        Case allowed = described(d, NHWC, FLOAT, DEFAULT_MATH);
        long bytes = size(
                "cudnnGetConvolutionForwardWorkspaceSize",
                handle,
                allowed.x,
                allowed.w,
                allowed.convolution,
                allowed.y,
                PRECOMPUTED_GEMM);
        long workspace = memory(bytes);
        must(forward(allowed, PRECOMPUTED_GEMM, x, w, y, workspace, bytes, 1, 0));
        assertThat(read(y, 1)).containsExactly(1);
        must(forward(allowed, IMPLICIT_GEMM, x, w, y, workspace, bytes, 1, 0));
        assertThat(read(y, 1)).as("no tensor cores in it").containsExactly(above);
        must(forward(described(d, NHWC, FLOAT, FMA_MATH), PRECOMPUTED_GEMM, x, w, y, workspace, bytes, 1, 0));
        assertThat(read(y, 1)).containsExactly(above);
    }

    @Test
    void shouldTakeBfloat16() {
        DirectConvolution d = DirectConvolution.of(1, 2, 1, 1, 1, 1, 1, 0, 0, 0, 0, 1, 1, 1);
        Case c = described(d, NHWC, BF16, DEFAULT_MATH);
        long y = memory(2);
        must(forward(c, IMPLICIT_GEMM, bfloats(1.5f, 3), bfloats(2, 0.00390625f), y, NULL, 0, 1, 0));
        assertThat(readBfloats(y, 1)).containsExactly(3.015625f);
        assertThat(dnn.call("cudnnSetConvolution2dDescriptor", c.convolution, 0, 0, 1, 1, 1, 1, 1, BF16))
                .isEqualTo(BAD_PARAM);
        lastErrorSays("compute type");
    }

    @Test
    void shouldAddInAnyOrderWhereNoOrderIsPromised() {
        DirectConvolution d = DirectConvolution.of(8, 16, 9, 9, 16, 3, 3, 1, 1, 1, 1, 1, 1, 1);
        Case c = described(d, NHWC, FLOAT, FMA_MATH);
        long x = floats(random(1, d.inputs()));
        long dy = floats(random(2, d.outputs()));
        long dw = memory(4L * d.weights());
        List<float[]> results = new ArrayList<>();
        long bytes = size("cudnnGetConvolutionBackwardFilterWorkspaceSize", handle, c.x, c.y, c.convolution, c.w, 1);
        long workspace = memory(bytes);
        for (int algorithm : new int[] {0, 0, 1, 1}) {
            must(dnn.call(
                    "cudnnConvolutionBackwardFilter",
                    handle,
                    scalar(1),
                    c.x,
                    x,
                    c.y,
                    dy,
                    c.convolution,
                    algorithm,
                    workspace,
                    bytes,
                    scalar(0),
                    c.w,
                    dw));
            results.add(read(dw, d.weights()));
        }
        assertThat(results.get(0)).isNotEqualTo(results.get(1));
        assertThat(results.get(2)).isEqualTo(results.get(3));
    }

    @Test
    void shouldFuseBiasAndActivation() {
        DirectConvolution d = DirectConvolution.of(1, 1, 1, 2, 2, 1, 1, 0, 0, 0, 0, 1, 1, 1);
        Case c = described(d, NHWC, FLOAT, FMA_MATH);
        long bias = tensor(NHWC, FLOAT, 1, 2, 1, 1);
        long relu = activation(1, 0, 0);
        long x = floats(1, 2);
        long w = floats(3, -3);
        long y = memory(16);
        // 3 x + 10 z + 1, -3 x + 10 z + 5
        must(dnn.call(
                "cudnnConvolutionBiasActivationForward",
                handle,
                scalar(1),
                c.x,
                x,
                c.w,
                w,
                c.convolution,
                IMPLICIT_GEMM,
                NULL,
                0L,
                scalar(10),
                c.y,
                floats(0, 0, 1, 0),
                bias,
                floats(1, 5),
                relu,
                c.y,
                y));
        assertThat(read(y, 4)).containsExactly(4, 2, 17, 0);
        assertThat(dnn.call(
                        "cudnnConvolutionBiasActivationForward",
                        handle,
                        scalar(1),
                        c.x,
                        x,
                        c.w,
                        w,
                        c.convolution,
                        IMPLICIT_GEMM,
                        NULL,
                        0L,
                        scalar(0),
                        c.y,
                        y,
                        bias,
                        floats(1, 5),
                        activation(5, 0, 0),
                        c.y,
                        y))
                .as("identity goes with one algorithm")
                .isEqualTo(NOT_SUPPORTED);
        assertThat(dnn.call(
                        "cudnnConvolutionBiasActivationForward",
                        handle,
                        scalar(1),
                        c.x,
                        x,
                        c.w,
                        w,
                        c.convolution,
                        IMPLICIT_GEMM,
                        NULL,
                        0L,
                        scalar(0),
                        c.y,
                        y,
                        bias,
                        floats(1, 5),
                        activation(4, 0, 1),
                        c.y,
                        y))
                .as("ELU")
                .isEqualTo(NOT_SUPPORTED);
    }

    @Test
    void shouldSumGradientsOfTheBias() {
        long dy = tensor(NHWC, FLOAT, 2, 2, 1, 2);
        long db = tensor(NHWC, FLOAT, 1, 2, 1, 1);
        long result = floats(100, 100);
        must(dnn.call(
                "cudnnConvolutionBackwardBias",
                handle,
                scalar(1),
                dy,
                floats(1, 2, 3, 4, 5, 6, 7, 8),
                scalar(1),
                db,
                result));
        assertThat(read(result, 2)).containsExactly(116, 120);
    }

    @Test
    void shouldRankAlgorithms() {
        DirectConvolution d = DirectConvolution.of(2, 8, 8, 8, 8, 3, 3, 1, 1, 1, 1, 1, 1, 1);
        Case c = described(d, NHWC, FLOAT, DEFAULT_MATH);
        MemorySegment count = arena.allocate(4, 4);
        must(dnn.call("cudnnGetConvolutionForwardAlgorithmMaxCount", handle, count));
        int most = count.get(ValueLayout.JAVA_INT, 0);
        MemorySegment results = arena.allocate(48L * most, 8);
        must(dnn.call(
                "cudnnGetConvolutionForwardAlgorithm_v7", handle, c.x, c.w, c.convolution, c.y, most, count, results));
        int returned = count.get(ValueLayout.JAVA_INT, 0);
        assertThat(returned).isBetween(8, most);
        assertThat(results.get(ValueLayout.JAVA_INT, 0)).isEqualTo(PRECOMPUTED_GEMM);
        assertThat(results.get(ValueLayout.JAVA_INT, 4)).isEqualTo(SUCCESS);
        assertThat(results.get(ValueLayout.JAVA_LONG, 16))
                .isEqualTo(size(
                        "cudnnGetConvolutionForwardWorkspaceSize",
                        handle,
                        c.x,
                        c.w,
                        c.convolution,
                        c.y,
                        PRECOMPUTED_GEMM));
        assertThat(results.get(ValueLayout.JAVA_INT, 48L * (returned - 1) + 4))
                .as("the last")
                .isEqualTo(NOT_SUPPORTED);
        assertThat(dnn.call(
                        "cudnnGetConvolutionForwardWorkspaceSize",
                        handle,
                        c.x,
                        c.w,
                        c.convolution,
                        c.y,
                        WINOGRAD,
                        results))
                .as("no Winograd in NHWC")
                .isEqualTo(NOT_SUPPORTED);
        Case first = described(d, NCHW, FLOAT, DEFAULT_MATH);
        must(dnn.call(
                "cudnnGetConvolutionForwardWorkspaceSize",
                handle,
                first.x,
                first.w,
                first.convolution,
                first.y,
                WINOGRAD,
                results));
    }

    @Test
    void shouldSpoilTheResultWhenItMeasuresOnIt() {
        DirectConvolution d = DirectConvolution.of(1, 1, 2, 2, 1, 1, 1, 0, 0, 0, 0, 1, 1, 1);
        Case c = described(d, NHWC, FLOAT, DEFAULT_MATH);
        long y = floats(1, 2, 3, 4);
        long workspace = memory(256);
        MemorySegment count = arena.allocate(4, 4);
        MemorySegment results = arena.allocate(48L * 12, 8);
        must(dnn.call(
                "cudnnFindConvolutionForwardAlgorithmEx",
                handle,
                c.x,
                floats(1, 2, 3, 4),
                c.w,
                floats(1),
                c.convolution,
                c.y,
                y,
                12,
                count,
                results,
                workspace,
                256L));
        assertThat(read(y, 1)[0]).isNaN();
        assertThat(results.get(ValueLayout.JAVA_INT, 0))
                .as("what fits the workspace")
                .isEqualTo(IMPLICIT_GEMM);
        must(driver.call("cuStreamBeginCapture_v2", stream, 2));
        assertThat(dnn.call(
                        "cudnnFindConvolutionForwardAlgorithm",
                        handle,
                        c.x,
                        c.w,
                        c.convolution,
                        c.y,
                        12,
                        count,
                        results))
                .isEqualTo(EXECUTION_FAILED);
        MemorySegment graph = arena.allocate(8);
        driver.call("cuStreamEndCapture", stream, graph);
        if (graph.get(ValueLayout.JAVA_LONG, 0) != 0) {
            driver.call("cuGraphDestroy", graph.get(ValueLayout.JAVA_LONG, 0));
        }
        assertThat(simulator.violations()).isNotEmpty();
        simulator.clearViolations();
    }

    @Test
    void shouldRefuseWhatTheLibraryRefuses() {
        DirectConvolution d = DirectConvolution.of(1, 2, 4, 4, 2, 3, 3, 1, 1, 1, 1, 1, 1, 1);
        Case c = described(d, NHWC, FLOAT, FMA_MATH);
        long x = floats(random(1, 32));
        long w = floats(random(2, 36));
        long y = memory(128);
        long bytes =
                size("cudnnGetConvolutionForwardWorkspaceSize", handle, c.x, c.w, c.convolution, c.y, PRECOMPUTED_GEMM);
        long workspace = memory(bytes);
        assertThat(forward(c, PRECOMPUTED_GEMM, x, w, y, workspace, bytes - 1, 1, 0))
                .as("too small")
                .isEqualTo(BAD_PARAM);
        lastErrorSays("workspace");
        assertThat(forward(c, PRECOMPUTED_GEMM, x, w, y, NULL, bytes, 1, 0))
                .as("null workspace")
                .isEqualTo(BAD_PARAM);
        assertThat(forward(c, 99, x, w, y, workspace, bytes, 1, 0))
                .as("algorithm")
                .isEqualTo(BAD_PARAM);
        assertThat(forward(c, 3, x, w, y, workspace, bytes, 1, 0)).as("direct").isEqualTo(NOT_SUPPORTED);
        assertThat(forward(c, IMPLICIT_GEMM, NULL, w, y, NULL, 0, 1, 0)).as("x").isEqualTo(BAD_PARAM);
        assertThat(dnn.call(
                        "cudnnConvolutionForward",
                        handle,
                        NULL,
                        c.x,
                        x,
                        c.w,
                        w,
                        c.convolution,
                        IMPLICIT_GEMM,
                        NULL,
                        0L,
                        scalar(0),
                        c.y,
                        y))
                .as("alpha")
                .isEqualTo(BAD_PARAM);
        Case wrongY = new Case(d, c.x, c.w, tensor(NHWC, FLOAT, 1, 2, 3, 4), c.convolution);
        assertThat(forward(wrongY, IMPLICIT_GEMM, x, w, y, NULL, 0, 1, 0))
                .as("height")
                .isEqualTo(BAD_PARAM);
        lastErrorSays("spatial dimension 0");
        Case wrongChannels = new Case(d, c.x, filter(NHWC, FLOAT, 2, 1, 3, 3), c.y, c.convolution);
        assertThat(forward(wrongChannels, IMPLICIT_GEMM, x, w, y, NULL, 0, 1, 0))
                .as("channels")
                .isEqualTo(BAD_PARAM);
        Case wrongType = new Case(d, c.x, filter(NHWC, BF16, 2, 2, 3, 3), c.y, c.convolution);
        assertThat(forward(wrongType, IMPLICIT_GEMM, x, w, y, NULL, 0, 1, 0))
                .as("types")
                .isEqualTo(BAD_PARAM);
        Case mixed = new Case(d, tensor(NCHW, FLOAT, 1, 2, 4, 4), c.w, c.y, c.convolution);
        assertThat(forward(mixed, IMPLICIT_GEMM, x, w, y, NULL, 0, 1, 0))
                .as("layouts")
                .isEqualTo(NOT_SUPPORTED);
        long unset = descriptor("Tensor");
        Case never = new Case(d, unset, c.w, c.y, c.convolution);
        assertThat(forward(never, IMPLICIT_GEMM, x, w, y, NULL, 0, 1, 0))
                .as("never set")
                .isEqualTo(BAD_PARAM);
        lastErrorSays("never set");
        assertThat(dnn.call("cudnnSetTensor4dDescriptor", unset, NHWC, FLOAT, 0, 1, 1, 1))
                .as("no images")
                .isEqualTo(BAD_PARAM);
        assertThat(dnn.call("cudnnSetTensor4dDescriptor", unset, NHWC, FLOAT, 1 << 16, 1 << 16, 1, 1))
                .isEqualTo(NOT_SUPPORTED);
        assertThat(dnn.call("cudnnSetConvolution2dDescriptor", c.convolution, -1, 0, 1, 1, 1, 1, 1, FLOAT))
                .isEqualTo(BAD_PARAM);
        assertThat(dnn.call("cudnnSetConvolutionGroupCount", c.convolution, 0)).isEqualTo(BAD_PARAM);
        assertThat(dnn.call("cudnnSetConvolutionMathType", c.convolution, 4)).isEqualTo(BAD_PARAM);
        assertThat(dnn.text("cudnnGetErrorString", BAD_PARAM)).isEqualTo("CUDNN_STATUS_BAD_PARAM");
    }

    @Test
    void shouldSeeWrongMemory() {
        Case c = described(DirectConvolution.of(1, 1, 2, 2, 1, 1, 1, 0, 0, 0, 0, 1, 1, 1), NHWC, FLOAT, FMA_MATH);
        long x = floats(1, 2, 3, 4);
        long w = floats(1);
        long y = memory(16);
        assertThat(forward(c, IMPLICIT_GEMM, arena.allocate(16).address(), w, y, NULL, 0, 1, 0))
                .isEqualTo(EXECUTION_FAILED);
        violated("x");
        assertThat(forward(c, IMPLICIT_GEMM, x, w, y + 2, NULL, 0, 1, 0)).isEqualTo(EXECUTION_FAILED);
        simulator.clearViolations();
        assertThat(forward(c, IMPLICIT_GEMM, x, w, x, NULL, 0, 1, 0)).isEqualTo(EXECUTION_FAILED);
        violated("overlap");
        long bytes =
                size("cudnnGetConvolutionForwardWorkspaceSize", handle, c.x, c.w, c.convolution, c.y, PRECOMPUTED_GEMM);
        assertThat(forward(c, PRECOMPUTED_GEMM, x, w, y, memory(bytes - 1), bytes, 1, 0))
                .as("a lie")
                .isEqualTo(EXECUTION_FAILED);
        violated("workspace");
        assertThat(forward(c, PRECOMPUTED_GEMM, x, w, y, memory(bytes + 16) + 16, bytes, 1, 0))
                .isEqualTo(EXECUTION_FAILED);
        violated("256 bytes");
        long gone = dnn.create("cudnnCreateTensorDescriptor");
        must(dnn.call("cudnnDestroyTensorDescriptor", gone));
        assertThat(forward(new Case(c.size, gone, c.w, c.y, c.convolution), IMPLICIT_GEMM, x, w, y, NULL, 0, 1, 0))
                .isEqualTo(BAD_PARAM);
        violated("cudnnTensorDescriptor");
        assertThat(forward(new Case(c.size, c.w, c.w, c.y, c.convolution), IMPLICIT_GEMM, x, w, y, NULL, 0, 1, 0))
                .isEqualTo(BAD_PARAM);
        violated("cudnnTensorDescriptor");
        long other = dnn.create("cudnnCreate");
        assertThat(dnn.call(
                        "cudnnConvolutionForward",
                        other,
                        scalar(1),
                        c.x,
                        x,
                        c.w,
                        w,
                        c.convolution,
                        IMPLICIT_GEMM,
                        NULL,
                        0L,
                        scalar(0),
                        c.y,
                        y))
                .isEqualTo(EXECUTION_FAILED);
        violated("no stream");
        must(dnn.call("cudnnDestroy", other));
        assertThat(dnn.call("cudnnLRNCrossChannelForward")).isEqualTo(NOT_SUPPORTED);
        violated("cudnnLRNCrossChannelForward");
    }
}
