package tenon.simulator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The graph interface of the double of cuDNN. */
class CudnnGraphDoubleTest extends CudnnFixture {
    // Kinds of descriptors.
    private static final int POINTWISE = 0;
    private static final int CONVOLUTION = 1;
    private static final int ENGINE = 2;
    private static final int ENGINE_CONFIG = 3;
    private static final int HEURISTICS = 4;
    private static final int PLAN = 5;
    private static final int FORWARD = 10;
    private static final int BACKWARD_FILTER = 11;
    private static final int BACKWARD_DATA = 12;
    private static final int POINTWISE_OP = 13;
    private static final int GRAPH = 15;
    private static final int VARIANT_PACK = 16;
    private static final int TENSOR = 17;

    // Types of attributes.
    private static final int HANDLE = 0;
    private static final int DATA_TYPE = 1;
    private static final int BOOLEAN = 2;
    private static final int INT64 = 3;
    private static final int REAL = 4;
    private static final int VOID_PTR = 6;
    private static final int CONVOLUTION_MODE = 7;
    private static final int HEURISTIC_MODE = 8;
    private static final int NUMERICAL_NOTE = 11;
    private static final int POINTWISE_MODE = 14;
    private static final int DESCRIPTOR = 15;

    private static final int TENSOR_CORE = 0;
    private static final int NONDETERMINISTIC = 4;

    private final List<Long> made = new ArrayList<>();

    @Override
    void close() {
        made.forEach(descriptor -> must(dnn.call("cudnnBackendDestroyDescriptor", descriptor)));
        super.close();
    }

    private long create(int kind) {
        long descriptor = dnn.create("cudnnBackendCreateDescriptor", kind);
        made.add(descriptor);
        return descriptor;
    }

    private int trySet(long descriptor, int name, int type, long count, MemorySegment values) {
        return dnn.call("cudnnBackendSetAttribute", descriptor, name, type, count, values);
    }

    private void set(long descriptor, int name, int type, long... values) {
        MemorySegment elements = switch (type) {
            case INT64, HANDLE, VOID_PTR, DESCRIPTOR -> longs(values);
            case BOOLEAN -> arena.allocateFrom(ValueLayout.JAVA_BYTE, (byte) values[0]);
            case REAL -> scalar(values[0]);
            default -> ints((int) values[0]);
        };
        must(trySet(descriptor, name, type, values.length, elements));
    }

    private long finish(long descriptor) {
        must(dnn.call("cudnnBackendFinalize", descriptor));
        return descriptor;
    }

    private long image(int type, long id, boolean isVirtual, int n, int c, int h, int w) {
        long tensor = create(TENSOR);
        set(tensor, 901, DATA_TYPE, type);
        set(tensor, 902, INT64, n, c, h, w);
        set(tensor, 903, INT64, (long) h * w * c, 1, (long) w * c, c);
        set(tensor, 906, INT64, id);
        set(tensor, 900, INT64, 16);
        if (isVirtual) {
            set(tensor, 907, BOOLEAN, 1);
        }
        return finish(tensor);
    }

    private long geometry(int top, int bottom, int left, int right, int stride, int dilation) {
        long convolution = create(CONVOLUTION);
        set(convolution, 100, DATA_TYPE, FLOAT);
        set(convolution, 101, CONVOLUTION_MODE, 1);
        set(convolution, 106, INT64, 2);
        set(convolution, 105, INT64, top, left);
        set(convolution, 104, INT64, bottom, right);
        set(convolution, 103, INT64, stride, stride);
        set(convolution, 102, INT64, dilation, dilation);
        return finish(convolution);
    }

    private long operation(int kind, long x, long w, long y, long convolution) {
        long operation = create(kind);
        int first = kind == FORWARD ? 700 : kind == BACKWARD_DATA ? 706 : 712;
        set(operation, first, REAL, 1);
        set(operation, first + 1, REAL, 0);
        set(operation, first + 2, DESCRIPTOR, convolution);
        // forward: W X Y; backward data: W DX DY; backward filter: DW X DY
        set(operation, first + 3, DESCRIPTOR, w);
        set(operation, first + 4, DESCRIPTOR, x);
        set(operation, first + 5, DESCRIPTOR, y);
        return finish(operation);
    }

    private long graph(long... operations) {
        long graph = create(GRAPH);
        set(graph, 800, HANDLE, handle);
        set(graph, 801, DESCRIPTOR, operations);
        return finish(graph);
    }

    /** The engine configurations that the heuristics name; none where they refuse the graph. */
    private List<Long> configurations(long graph, int mode) {
        long heuristics = create(HEURISTICS);
        set(heuristics, 201, DESCRIPTOR, graph);
        set(heuristics, 200, HEURISTIC_MODE, mode);
        finish(heuristics);
        MemorySegment count = arena.allocate(8);
        must(dnn.call("cudnnBackendGetAttribute", heuristics, 202, DESCRIPTOR, 0L, count, NULL));
        long[] results = new long[(int) count.get(ValueLayout.JAVA_LONG, 0)];
        for (int i = 0; i < results.length; i++) {
            results[i] = create(ENGINE_CONFIG);
        }
        must(dnn.call(
                "cudnnBackendGetAttribute", heuristics, 202, DESCRIPTOR, (long) results.length, count, longs(results)));
        return java.util.Arrays.stream(results).boxed().toList();
    }

    private List<Integer> notes(long configuration) {
        long engine = create(ENGINE);
        MemorySegment count = arena.allocate(8);
        must(dnn.call("cudnnBackendGetAttribute", configuration, 300, DESCRIPTOR, 1L, count, longs(engine)));
        MemorySegment notes = arena.allocate(40, 4);
        must(dnn.call("cudnnBackendGetAttribute", engine, 1303, NUMERICAL_NOTE, 10L, count, notes));
        List<Integer> result = new ArrayList<>();
        for (int i = 0; i < count.get(ValueLayout.JAVA_LONG, 0); i++) {
            result.add(notes.getAtIndex(ValueLayout.JAVA_INT, i));
        }
        return result;
    }

    private long unfinishedPlan(long configuration) {
        long plan = create(PLAN);
        set(plan, 400, HANDLE, handle);
        set(plan, 401, DESCRIPTOR, configuration);
        return plan;
    }

    private long workspaceBytes(long plan) {
        MemorySegment result = arena.allocate(8);
        must(dnn.call("cudnnBackendGetAttribute", plan, 402, INT64, 1L, arena.allocate(8), result));
        return result.get(ValueLayout.JAVA_LONG, 0);
    }

    private long pack(long workspace, long[] ids, long... pointers) {
        long pack = create(VARIANT_PACK);
        set(pack, 1000, INT64, ids);
        set(pack, 1001, VOID_PTR, pointers);
        set(pack, 1003, VOID_PTR, workspace);
        return finish(pack);
    }

    private int execute(long plan, long workspace, long[] ids, long... pointers) {
        return dnn.call("cudnnBackendExecute", handle, plan, pack(workspace, ids, pointers));
    }

    /** Every plan that can be finalized, of every mode of the heuristics. */
    private List<Long> plans(long graph) {
        List<Long> plans = new ArrayList<>();
        for (int mode : new int[] {0, 1, 2, 3}) {
            for (long configuration : configurations(graph, mode)) {
                long plan = unfinishedPlan(configuration);
                int status = dnn.call("cudnnBackendFinalize", plan);
                assertThat(status).isIn(SUCCESS, NOT_SUPPORTED);
                if (status == SUCCESS) {
                    plans.add(plan);
                }
            }
        }
        return plans;
    }

    @Test
    void shouldMatchSevenLoopsInEveryPlan() {
        // Padding that differs before and after, too.
        for (DirectConvolution d : List.of(
                DirectConvolution.of(2, 8, 7, 6, 8, 3, 3, 1, 1, 1, 1, 1, 1, 1),
                DirectConvolution.of(2, 3, 8, 8, 5, 3, 3, 0, 1, 0, 1, 2, 1, 1),
                DirectConvolution.of(1, 6, 6, 7, 6, 3, 3, 2, 1, 1, 2, 1, 2, 6))) {
            float[] x = random(1, d.inputs());
            float[] w = random(2, d.weights());
            float[] dy = random(3, d.outputs());
            long xs = image(FLOAT, 1, false, d.n(), d.c(), d.h(), d.w());
            long ws = image(FLOAT, 2, false, d.k(), d.c() / d.groups(), d.r(), d.s());
            long ys = image(FLOAT, 3, false, d.n(), d.k(), d.p(), d.q());
            int bottom = (d.p() - 1) * d.strideY() + (d.r() - 1) * d.dilationY() + 1 - d.h() - d.top();
            int right = (d.q() - 1) * d.strideX() + (d.s() - 1) * d.dilationX() + 1 - d.w() - d.left();
            long geometry = geometry(d.top(), bottom, d.left(), right, d.strideY(), d.dilationY());
            for (int kind : new int[] {FORWARD, BACKWARD_DATA, BACKWARD_FILTER}) {
                List<Long> plans = plans(graph(operation(kind, xs, ws, ys, geometry)));
                assertThat(plans).hasSizeGreaterThan(2);
                for (long plan : plans) {
                    long bytes = workspaceBytes(plan);
                    long workspace = bytes == 0 ? NULL : memory(bytes);
                    int size = kind == FORWARD ? d.outputs() : kind == BACKWARD_DATA ? d.inputs() : d.weights();
                    double[] expected = kind == FORWARD
                            ? d.forward(x, w)
                            : kind == BACKWARD_DATA ? d.gradInput(w, dy) : d.gradWeight(x, dy);
                    long result = memory(4L * size);
                    must(execute(
                            plan,
                            workspace,
                            new long[] {1, 2, 3},
                            kind == BACKWARD_DATA ? result : floats(x),
                            kind == BACKWARD_FILTER ? result : floats(w),
                            kind == FORWARD ? result : floats(dy)));
                    float[] values = read(result, size);
                    for (int i = 0; i < size; i++) {
                        assertThat(values[i]).isCloseTo((float) expected[i], within(2e-2f));
                    }
                }
            }
        }
    }

    @Test
    void shouldNoteWhatAnEngineDoes() {
        long xs = image(FLOAT, 1, false, 1, 4, 4, 4);
        long ws = image(FLOAT, 2, false, 4, 4, 1, 1);
        long ys = image(FLOAT, 3, false, 1, 4, 4, 4);
        long graph = graph(operation(BACKWARD_FILTER, xs, ws, ys, geometry(0, 0, 0, 0, 1, 1)));
        List<Long> configurations = configurations(graph, 3);
        assertThat(notes(configurations.get(0))).contains(TENSOR_CORE).doesNotContain(NONDETERMINISTIC);
        assertThat(configurations).anyMatch(each -> notes(each).contains(NONDETERMINISTIC));
        assertThat(configurations).anyMatch(each -> notes(each).isEmpty());
    }

    @Test
    void shouldRoundToTf32OnTensorCoresOnly() {
        float above = 1 + 0x1p-12f;
        long xs = image(FLOAT, 1, false, 1, 4, 1, 1);
        long ws = image(FLOAT, 2, false, 4, 4, 1, 1);
        long ys = image(FLOAT, 3, false, 1, 4, 1, 1);
        long graph = graph(operation(FORWARD, xs, ws, ys, geometry(0, 0, 0, 0, 1, 1)));
        float[] w = new float[16];
        w[0] = 1;
        for (long configuration : configurations(graph, 3)) {
            long plan = finish(unfinishedPlan(configuration));
            long bytes = workspaceBytes(plan);
            long y = memory(16);
            must(execute(
                    plan,
                    bytes == 0 ? NULL : memory(bytes),
                    new long[] {1, 2, 3},
                    floats(above, 0, 0, 0),
                    floats(w),
                    y));
            assertThat(read(y, 1)).containsExactly(notes(configuration).contains(TENSOR_CORE) ? 1 : above);
        }
    }

    /** y = relu(conv(x, w) + bias) */
    private long fused(int type, int channels) {
        long xs = image(type, 1, false, 1, channels, 1, 1);
        long ws = image(type, 2, false, channels, channels, 1, 1);
        long convolved = image(FLOAT, 3, true, 1, channels, 1, 1);
        long bias = image(FLOAT, 4, false, 1, channels, 1, 1);
        long shifted = image(FLOAT, 5, true, 1, channels, 1, 1);
        long ys = image(type, 6, false, 1, channels, 1, 1);
        long add = pointwise(0);
        long addition = create(POINTWISE_OP);
        set(addition, 750, DESCRIPTOR, add);
        set(addition, 751, DESCRIPTOR, convolved);
        set(addition, 752, DESCRIPTOR, bias);
        set(addition, 753, DESCRIPTOR, shifted);
        long relu = create(POINTWISE_OP);
        set(relu, 750, DESCRIPTOR, pointwise(100));
        set(relu, 751, DESCRIPTOR, shifted);
        set(relu, 753, DESCRIPTOR, ys);
        return graph(operation(FORWARD, xs, ws, convolved, geometry(0, 0, 0, 0, 1, 1)), finish(addition), finish(relu));
    }

    private long pointwise(int mode) {
        long pointwise = create(POINTWISE);
        set(pointwise, 0, POINTWISE_MODE, mode);
        set(pointwise, 1, DATA_TYPE, FLOAT);
        return finish(pointwise);
    }

    @Test
    void shouldFuseWhatFollows() {
        float[] w = new float[64];
        for (int i = 0; i < 8; i++) {
            w[i * 9] = 2;
        }
        List<Long> plans = plans(fused(BF16, 8));
        assertThat(plans).isNotEmpty();
        long bias = floats(1, 1, 1, 1, -100, 1, 1, 1);
        for (long plan : plans) {
            long y = memory(16);
            must(execute(plan, NULL, new long[] {1, 2, 4, 6}, bfloats(1, 2, 3, 4, 5, 6, 7, 8), bfloats(w), bias, y));
            assertThat(readBfloats(y, 8)).containsExactly(3, 5, 7, 9, 0, 13, 15, 17);
        }
        assertThat(plans(fused(BF16, 6))).as("channels in eights").isEmpty();
    }

    @Test
    void shouldRefuseWhatTheLibraryRefuses() {
        long tensor = create(TENSOR);
        assertThat(dnn.call("cudnnBackendFinalize", tensor)).as("nothing set").isEqualTo(BAD_PARAM);
        lastErrorSays("was not set");
        assertThat(trySet(tensor, 901, INT64, 1, longs(0))).as("type").isEqualTo(ATTRIBUTE_TYPE);
        assertThat(trySet(tensor, 700, REAL, 1, scalar(1)))
                .as("another descriptor's attribute")
                .isEqualTo(BAD_PARAM);
        assertThat(trySet(tensor, 906, INT64, 2, longs(1, 2))).as("count").isEqualTo(BAD_PARAM);
        assertThat(trySet(tensor, 902, INT64, 9, longs(1, 1, 1, 1, 1, 1, 1, 1, 1)))
                .as("dimensions")
                .isEqualTo(BAD_PARAM);
        assertThat(dnn.call("cudnnBackendGetAttribute", tensor, 906, INT64, 1L, arena.allocate(8), arena.allocate(8)))
                .as("before finalizing")
                .isEqualTo(NOT_INITIALIZED);
        set(tensor, 901, DATA_TYPE, FLOAT);
        set(tensor, 902, INT64, 1, 4, 4, 4);
        set(tensor, 903, INT64, 64, 1, 16);
        set(tensor, 906, INT64, 1);
        set(tensor, 900, INT64, 16);
        assertThat(dnn.call("cudnnBackendFinalize", tensor)).as("three strides").isEqualTo(BAD_PARAM);
        set(tensor, 903, INT64, 64, 1, 16, 4);
        set(tensor, 900, INT64, 2);
        assertThat(dnn.call("cudnnBackendFinalize", tensor))
                .as("alignment below the element")
                .isEqualTo(BAD_PARAM);
        set(tensor, 900, INT64, 16);
        finish(tensor);
        assertThat(trySet(tensor, 906, INT64, 1, longs(5)))
                .as("after finalizing")
                .isEqualTo(BAD_PARAM);

        long operation = create(FORWARD);
        long unfinished = create(TENSOR);
        assertThat(trySet(operation, 702, DESCRIPTOR, 1, longs(tensor))).isEqualTo(DESCRIPTOR_TYPE);
        violated("descriptor of kind 17");
        set(operation, 700, REAL, 1);
        set(operation, 701, REAL, 0);
        set(operation, 702, DESCRIPTOR, geometry(0, 0, 0, 0, 1, 1));
        set(operation, 703, DESCRIPTOR, image(FLOAT, 2, false, 4, 4, 3, 3));
        set(operation, 704, DESCRIPTOR, unfinished);
        set(operation, 705, DESCRIPTOR, image(FLOAT, 3, false, 1, 4, 4, 4));
        assertThat(dnn.call("cudnnBackendFinalize", operation))
                .as("x was not finalized")
                .isEqualTo(BAD_PARAM);
        set(operation, 704, DESCRIPTOR, tensor);
        assertThat(dnn.call("cudnnBackendFinalize", operation))
                .as("y is too large")
                .isEqualTo(SHAPE_MISMATCH);

        long pack = create(VARIANT_PACK);
        set(pack, 1000, INT64, 1, 1);
        set(pack, 1001, VOID_PTR, 16, 16);
        assertThat(dnn.call("cudnnBackendFinalize", pack)).as("an id twice").isEqualTo(DUPLICATED_ENTRIES);
        assertThat(dnn.call("cudnnBackendCreateDescriptor", 99, arena.allocate(8)))
                .isEqualTo(BAD_PARAM);
    }

    @Test
    void shouldHaveNoEngineForTypesAndPatterns() {
        long xs = image(BF16, 1, false, 1, 8, 4, 4);
        long ws = image(FLOAT, 2, false, 8, 8, 1, 1);
        long geometry = geometry(0, 0, 0, 0, 1, 1);
        long mixed = image(FLOAT, 3, false, 1, 8, 4, 4);
        assertThat(configurations(graph(operation(BACKWARD_FILTER, xs, ws, mixed, geometry)), 3))
                .isEmpty();
        // F32 sums of BF16 products are written by what is compiled for it.
        long ys = image(BF16, 3, false, 1, 8, 4, 4);
        assertThat(plans(graph(operation(BACKWARD_FILTER, xs, ws, ys, geometry))))
                .isNotEmpty();
        long relu = create(POINTWISE_OP);
        set(relu, 750, DESCRIPTOR, pointwise(100));
        set(relu, 751, DESCRIPTOR, xs);
        set(relu, 753, DESCRIPTOR, ys);
        assertThat(configurations(graph(finish(relu)), 3)).isEmpty();
    }

    @Test
    void shouldKeepCopiesOfWhatItWasMadeFrom() {
        long xs = image(FLOAT, 1, false, 1, 1, 1, 1);
        long ws = image(FLOAT, 2, false, 1, 1, 1, 1);
        long ys = image(FLOAT, 3, false, 1, 1, 1, 1);
        long geometry = geometry(0, 0, 0, 0, 1, 1);
        long operation = operation(FORWARD, xs, ws, ys, geometry);
        long graph = graph(operation);
        List<Long> configurations = configurations(graph, 2);
        long plan = finish(unfinishedPlan(configurations.get(0)));
        for (long gone : new long[] {xs, ws, ys, geometry, operation, graph, configurations.get(0)}) {
            must(dnn.call("cudnnBackendDestroyDescriptor", gone));
            made.remove(gone);
        }
        long y = memory(4);
        must(execute(plan, NULL, new long[] {1, 2, 3}, floats(2), floats(3), y));
        assertThat(read(y, 1)).containsExactly(6);
    }

    @Test
    void shouldSeeWrongExecutions() {
        long xs = image(FLOAT, 1, false, 1, 4, 2, 2);
        long ws = image(FLOAT, 2, false, 4, 4, 1, 1);
        long ys = image(FLOAT, 3, false, 1, 4, 2, 2);
        long geometry = geometry(0, 0, 0, 0, 1, 1);
        List<Long> configurations = configurations(graph(operation(FORWARD, xs, ws, ys, geometry)), 1);
        long plan = finish(unfinishedPlan(configurations.get(0)));
        long bytes = workspaceBytes(plan);
        assertThat(bytes).isPositive();
        long workspace = memory(bytes);
        long x = floats(new float[16]);
        long w = floats(new float[16]);
        long y = memory(64 + 16);
        long[] ids = {1, 2, 3};
        must(execute(plan, workspace, ids, x, w, y));
        assertThat(execute(plan, workspace, new long[] {1, 2}, x, w)).as("no y").isEqualTo(NULL_POINTER);
        assertThat(execute(plan, NULL, ids, x, w, y)).as("no workspace").isEqualTo(NULL_POINTER);
        assertThat(execute(plan, workspace, ids, x, w, y + 4)).isEqualTo(MISALIGNED_POINTER);
        violated("16 bytes of alignment were promised");
        assertThat(execute(plan, workspace, ids, x, w, arena.allocate(64, 16).address()))
                .isEqualTo(EXECUTION_FAILED);
        violated("y");
        assertThat(execute(plan, memory(bytes - 256), ids, x, w, y)).isEqualTo(EXECUTION_FAILED);
        violated("workspace");
        assertThat(execute(plan, workspace, ids, x, w, x)).isEqualTo(EXECUTION_FAILED);
        violated("overlap");
        assertThat(dnn.call("cudnnBackendExecute", handle, configurations.get(0), pack(workspace, ids, x, w, y)))
                .isEqualTo(DESCRIPTOR_TYPE);
        assertThat(dnn.call(
                        "cudnnBackendExecute",
                        handle,
                        unfinishedPlan(configurations.get(0)),
                        pack(workspace, ids, x, w, y)))
                .isEqualTo(NOT_FINALIZED);
        must(dnn.call("cudnnBackendDestroyDescriptor", plan));
        made.remove(plan);
        assertThat(execute(plan, workspace, ids, x, w, y)).isEqualTo(BAD_PARAM);
        violated("cudnnBackendDescriptor");
    }
}
