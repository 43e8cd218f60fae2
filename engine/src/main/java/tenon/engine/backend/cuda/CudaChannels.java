package tenon.engine.backend.cuda;

import static tenon.engine.backend.cuda.Vectors.in;
import static tenon.engine.backend.cuda.Vectors.out;

import tenon.engine.DType;
import tenon.engine.Tensor;
import tenon.engine.backend.ChannelKernels;
import tenon.engine.backend.OpKind;
import tenon.engine.ops.Activation;

/** Copies between channel ranges, by own kernels, in units as wide as offsets and widths allow. */
final class CudaChannels implements ChannelKernels {
    private static final String FILE = "channels";

    private final CudaBackend backend;
    private final KernelPair[] forward;
    private final KernelPair[] backward;
    /** By the logarithm of the unit's bytes. */
    private final Kernel[] copies = new Kernel[5];

    CudaChannels(CudaBackend backend) {
        this.backend = backend;
        forward = CudaActivation.perKind(backend, FILE, "_forward");
        backward = CudaActivation.perKind(backend, FILE, "_backward");
    }

    boolean supports(OpKind op, DType dtype) {
        return dtype == DType.F32 || dtype == DType.BF16;
    }

    @Override
    public void copy(Tensor from, int fromOffset, Tensor to, int toOffset, int count) {
        backend.checkDType("concat", from, to);
        long size = from.dtype().byteSize();
        long fromWidth = from.shape().dim(-1) * size;
        long toWidth = to.shape().dim(-1) * size;
        long source = in(from) + fromOffset * size;
        long target = out(to) + toOffset * size;
        int log = unitLog(source | target | fromWidth | toWidth | count * size);
        if (copies[log] == null) {
            copies[log] = backend.kernels.get(FILE, "copy_" + (1 << log));
        }
        int units = (int) (count * size >> log);
        long total = from.shape().outerCount() * units;
        backend.launch(copies[log])
                .address(source)
                .int64(fromWidth >> log)
                .address(target)
                .int64(toWidth >> log)
                .int32(units)
                .int64(total)
                .elements(total);
    }

    /** Logarithm of the largest unit, of at most 16 bytes, that divides all of the combined numbers. */
    private static int unitLog(long combined) {
        return Math.min(4, Long.numberOfTrailingZeros(combined));
    }

    @Override
    public void activate(Activation activation, Tensor[] from, Tensor to, int toOffset) {
        int offset = toOffset;
        for (Tensor tensor : from) {
            activate(activation, tensor, to, offset);
            offset += tensor.shape().dim(-1);
        }
    }

    private void activate(Activation activation, Tensor from, Tensor to, int toOffset) {
        backend.checkDType("concat", from, to);
        int columns = from.shape().dim(-1);
        if (activation.kind() == Activation.Kind.NONE) {
            copy(from, 0, to, toOffset, columns);
            return;
        }
        DType dtype = from.dtype();
        long toColumns = to.shape().dim(-1);
        long target = out(to) + toOffset * (long) dtype.byteSize();
        boolean vectors = areVectors(dtype, columns, toColumns, target);
        long count = from.elementCount();
        backend.launch(forward[activation.kind().ordinal()].of(dtype))
                .address(in(from))
                .address(target)
                .int32(columns)
                .int64(toColumns)
                .float32(activation.alpha())
                .int64(count)
                .int32(vectors ? 1 : 0)
                .elements(vectors ? count / Vectors.width(dtype) : count);
    }

    private static boolean areVectors(DType dtype, int columns, long wideColumns, long address) {
        return unitLog(columns * (long) dtype.byteSize() | wideColumns * dtype.byteSize() | address) == 4;
    }

    @Override
    public void activateBackward(
            Activation activation, Tensor output, Tensor gradOutput, int offset, Tensor[] gradInput) {
        int from = offset;
        for (Tensor tensor : gradInput) {
            activateBackward(activation, output, gradOutput, from, tensor);
            from += tensor.shape().dim(-1);
        }
    }

    private void activateBackward(
            Activation activation, Tensor output, Tensor gradOutput, int offset, Tensor gradInput) {
        int columns = gradInput.shape().dim(-1);
        if (activation.kind() == Activation.Kind.NONE) {
            copy(gradOutput, offset, gradInput, 0, columns);
            return;
        }
        backend.checkDType("concat", output, gradOutput, gradInput);
        DType dtype = output.dtype();
        long wideColumns = output.shape().dim(-1);
        long byteOffset = offset * (long) dtype.byteSize();
        boolean vectors = areVectors(dtype, columns, wideColumns, byteOffset);
        long count = gradInput.elementCount();
        backend.launch(backward[activation.kind().ordinal()].of(dtype))
                .address(in(output) + byteOffset)
                .address(in(gradOutput) + byteOffset)
                .int64(wideColumns)
                .address(out(gradInput))
                .int32(columns)
                .float32(activation.alpha())
                .int64(count)
                .int32(vectors ? 1 : 0)
                .elements(vectors ? count / Vectors.width(dtype) : count);
    }
}
