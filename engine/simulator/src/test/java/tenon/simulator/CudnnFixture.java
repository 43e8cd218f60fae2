package tenon.simulator;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;

/** A handle of the double of cuDNN, and descriptors that are destroyed at the end. */
abstract class CudnnFixture extends LibraryFixture {
    static final int SUCCESS = 0;
    static final int NOT_INITIALIZED = 1001;
    static final int BAD_PARAM = 2000;
    static final int NULL_POINTER = 2002;
    static final int MISALIGNED_POINTER = 2003;
    static final int NOT_FINALIZED = 2004;
    static final int SHAPE_MISMATCH = 2008;
    static final int DUPLICATED_ENTRIES = 2009;
    static final int ATTRIBUTE_TYPE = 2010;
    static final int DESCRIPTOR_TYPE = 2012;
    static final int NOT_SUPPORTED = 3000;
    static final int EXECUTION_FAILED = 5000;

    static final int FLOAT = 0;
    static final int HALF = 2;
    static final int BF16 = 9;
    static final int NCHW = 0;
    static final int NHWC = 1;

    Native dnn;
    long handle;
    private final List<Runnable> destroy = new ArrayList<>();

    @Override
    void open() {
        dnn = new Native(SimulatedDevice.folder().resolve("libcudnn.so.9"));
        handle = dnn.create("cudnnCreate");
        must(dnn.call("cudnnSetStream", handle, stream));
    }

    @Override
    void close() {
        destroy.forEach(Runnable::run);
        must(dnn.call("cudnnDestroy", handle));
    }

    /** @param what say {@code Tensor} */
    final long descriptor(String what) {
        long descriptor = dnn.create("cudnnCreate" + what + "Descriptor");
        destroy.add(() -> must(dnn.call("cudnnDestroy" + what + "Descriptor", descriptor)));
        return descriptor;
    }

    final long tensor(int format, int type, int n, int c, int h, int w) {
        long tensor = descriptor("Tensor");
        must(dnn.call("cudnnSetTensor4dDescriptor", tensor, format, type, n, c, h, w));
        return tensor;
    }

    final long filter(int format, int type, int k, int c, int r, int s) {
        long filter = descriptor("Filter");
        must(dnn.call("cudnnSetFilter4dDescriptor", filter, type, format, k, c, r, s));
        return filter;
    }

    final long convolution(
            int padH, int padW, int strideH, int strideW, int dilationH, int dilationW, int groups, int math) {
        long convolution = descriptor("Convolution");
        must(dnn.call(
                "cudnnSetConvolution2dDescriptor",
                convolution,
                padH,
                padW,
                strideH,
                strideW,
                dilationH,
                dilationW,
                1,
                FLOAT));
        must(dnn.call("cudnnSetConvolutionGroupCount", convolution, groups));
        must(dnn.call("cudnnSetConvolutionMathType", convolution, math));
        return convolution;
    }

    final long activation(int mode, int nan, double coefficient) {
        long activation = descriptor("Activation");
        must(dnn.call("cudnnSetActivationDescriptor", activation, mode, nan, coefficient));
        return activation;
    }

    /** The number that a function writes to its last argument. */
    final long size(String function, Object... before) {
        Object[] arguments = java.util.Arrays.copyOf(before, before.length + 1);
        MemorySegment result = arena.allocate(8);
        arguments[before.length] = result;
        must(dnn.call(function, arguments));
        return result.get(ValueLayout.JAVA_LONG, 0);
    }

    final void lastErrorSays(String part) {
        MemorySegment text = arena.allocate(512);
        dnn.call("cudnnGetLastErrorString", text, 512L);
        assertThat(text.getString(0)).contains(part);
    }

    static float[] random(long seed, int count) {
        java.util.Random random = new java.util.Random(seed);
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = random.nextFloat() - 0.5f;
        }
        return values;
    }
}
