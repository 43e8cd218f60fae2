package tenon.engine.backend.cpu;

import java.lang.foreign.MemorySegment;
import tenon.engine.DType;
import tenon.engine.Shape;
import tenon.engine.Tensor;
import tenon.engine.backend.PoolingKernels;
import tenon.engine.ops.PoolSpec;

/**
 * Pooling on own kernels: oneDNN's maximum loses NaN and turns −∞ into the smallest float, and its average knows no window clipped to counted padding.
 * Backward, each element of the input's gradient is written once, with what it collects from the windows that hold it.
 */
final class CpuPooling implements PoolingKernels {
    private final CpuBackend backend;
    private final MaxPoolLoops max = MaxPoolLoops.best();
    private final AveragePoolLoops average = AveragePoolLoops.best();

    CpuPooling(CpuBackend backend) {
        this.backend = backend;
    }

    @Override
    public DType workspaceType() {
        return DType.U8;
    }

    /** The winners' positions, four bytes each where one is too few for the window. */
    @Override
    public Shape workspaceShape(PoolSpec spec, Shape input, Shape output) {
        if (PoolGeometry.of(spec, input, output).fitsByte()) {
            return output;
        }
        return Shape.of(output.dim(0), output.dim(1), output.dim(2), Math.multiplyExact(4, output.dim(3)));
    }

    @Override
    public void maxForward(PoolSpec spec, Tensor input, Tensor output, Tensor workspace) {
        backend.checkDType("max_pool2d", input, output);
        boolean bf16 = input.dtype() == DType.BF16;
        PoolGeometry geometry = PoolGeometry.of(spec, input.shape(), output.shape());
        MemorySegment in = input.segment();
        MemorySegment out = output.segment();
        MemorySegment winners = workspace == null ? null : workspace.segment();
        rows(output, input, (from, to) -> max.forward(bf16, geometry, in, out, winners, from, to));
    }

    @Override
    public void maxBackward(PoolSpec spec, Tensor gradOutput, Tensor workspace, Tensor gradInput) {
        backend.checkDType("max_pool2d", gradOutput, gradInput);
        boolean bf16 = gradInput.dtype() == DType.BF16;
        PoolGeometry geometry = PoolGeometry.of(spec, gradInput.shape(), gradOutput.shape());
        MemorySegment out = gradOutput.segment();
        MemorySegment in = gradInput.segment();
        MemorySegment winners = workspace.segment();
        rows(gradInput, gradInput, (from, to) -> max.backward(bf16, geometry, out, winners, in, from, to));
    }

    @Override
    public void averageForward(PoolSpec spec, Tensor input, Tensor output) {
        backend.checkDType("avg_pool2d", input, output);
        boolean bf16 = input.dtype() == DType.BF16;
        PoolGeometry geometry = PoolGeometry.of(spec, input.shape(), output.shape());
        MemorySegment in = input.segment();
        MemorySegment out = output.segment();
        rows(output, input, (from, to) -> average.forward(bf16, geometry, in, out, from, to));
    }

    @Override
    public void averageBackward(PoolSpec spec, Tensor gradOutput, Tensor gradInput) {
        backend.checkDType("avg_pool2d", gradOutput, gradInput);
        boolean bf16 = gradInput.dtype() == DType.BF16;
        PoolGeometry geometry = PoolGeometry.of(spec, gradInput.shape(), gradOutput.shape());
        MemorySegment out = gradOutput.segment();
        MemorySegment in = gradInput.segment();
        rows(gradInput, gradInput, (from, to) -> average.backward(bf16, geometry, out, in, from, to));
    }

    /** Runs over the rows of all images of {@code written}, with threads enough for the elements of {@code larger}. */
    private void rows(Tensor written, Tensor larger, Parallel.Range body) {
        if (written.elementCount() > 0) {
            long rows = (long) written.shape().dim(0) * written.shape().dim(1);
            long grain = Math.max(1, CpuBackend.GRAIN * rows / Math.max(1, larger.elementCount()));
            backend.parallel.range(rows, grain, 1, (from, to) -> CpuBackend.blocks(from, to, 1, body));
        }
    }
}
