package tenon.engine.backend.cpu;

import tenon.engine.Shape;
import tenon.engine.nativelib.DnnlInfo;
import tenon.engine.ops.ConvSpec;
import tenon.engine.ops.Padding;

/**
 * Where a later one of oneDNN's convolution kernels beats the first that it offers. The shapes alone decide, so that equal runs compute equal bits.
 *
 * <p>The rules for AVX2 are from a Zen 3, all kernels in turn over the shapes of the ImageNet networks, oneDNN 3.11: its brgemm kernels, which come first, reach
 * 130 to 160 of 190 GFLOP/s in 1×1 convolutions and 110 in stems of 3 channels, the older ones 160 to 190.
 */
final class KernelChoice {
    /** Copies windows into a matrix. */
    private static final String GEMM = "gemm:jit";

    private static final String JIT = "jit:avx2";
    private static final String JIT_1X1 = "jit_1x1:avx2";

    /** Fewer output channels do not pay for copying a stem's windows. */
    private static final int MANY_OUTPUTS = 64;
    /** More input channels are written faster by the brgemm kernel. */
    private static final int MOST_INPUTS = 512;

    private static final long LARGE_WEIGHT = 100_000;

    private final boolean avx2 = !DnnlInfo.hasAvx512();

    /** Part of the name of the kernel to take, or null for oneDNN's choice. */
    String of(Pass pass, ConvSpec spec, Shape input, Shape weight) {
        if (spec.groups() != 1) {
            return null;
        }
        int k = weight.dim(0);
        int c = input.dim(3);
        // Vectors of the input's channels would be mostly empty.
        boolean stem = c <= 4;
        boolean strided = spec.strideW() > 1;
        boolean isPoint = weight.dim(1) == 1 && weight.dim(2) == 1;
        return switch (pass) {
            case FORWARD -> avx2 ? stem ? JIT : isPoint ? JIT_1X1 : null : null;
            case BACKWARD_INPUT -> stem && strided ? GEMM : avx2 && isPoint && c <= MOST_INPUTS ? JIT_1X1 : null;
            case BACKWARD_WEIGHT -> avx2 && gathersWeight(stem, strided, isPoint, c, k) ? GEMM : null;
            default -> null;
        };
    }

    /** Whether a matrix product makes the weight's gradient faster than any convolution kernel: those reach 100 of 190 GFLOP/s, the product 150. */
    boolean multipliesWeight(ConvSpec spec, Shape weight) {
        boolean isPoint = weight.dim(1) == 1 && weight.dim(2) == 1;
        boolean plain = spec.groups() == 1
                && spec.strideH() == 1
                && spec.strideW() == 1
                && spec.padding().equals(Padding.NONE);
        return avx2 && isPoint && plain && (long) weight.dim(0) * weight.dim(3) >= LARGE_WEIGHT;
    }

    /** Whether the bias's gradient is to be summed up apart: AVX2 kernels that make both take up to twice as long as for the weight's alone. */
    boolean sumsBiasApart() {
        return avx2;
    }

    private static boolean gathersWeight(boolean stem, boolean strided, boolean isPoint, int c, int k) {
        return stem ? k >= MANY_OUTPUTS : strided && (!isPoint || c >= MOST_INPUTS);
    }
}
