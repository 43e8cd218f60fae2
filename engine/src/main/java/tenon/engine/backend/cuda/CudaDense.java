package tenon.engine.backend.cuda;

import tenon.engine.DType;
import tenon.engine.Tensor;
import tenon.engine.backend.DenseKernels;
import tenon.engine.backend.OpKind;
import tenon.engine.ops.Activation;

/**
 * Fully connected layers: a cuBLAS product, then bias and activation in one pass. In BF16 the product of a layer with bias or activation stays in F32 until that pass has rounded it.
 */
final class CudaDense implements DenseKernels {
    private final CudaBackend backend;

    CudaDense(CudaBackend backend) {
        this.backend = backend;
    }

    boolean supports(OpKind op, DType dtype) {
        return dtype == DType.F32 || dtype == DType.BF16;
    }

    @Override
    public void forward(Tensor input, Tensor weight, Tensor bias, Activation activation, Tensor output) {
        backend.checkDTypes("dense", input, output, weight);
        long count = output.elementCount();
        if (count == 0) {
            return;
        }
        DType dtype = output.dtype();
        int outputs = output.shape().dim(1);
        boolean epilogue = bias != null || activation.kind() != Activation.Kind.NONE;
        synchronized (backend.lock) {
            long product = output.address();
            DType productType = dtype;
            if (input.elementCount() == 0) {
                backend.fill(output, 0);
            } else {
                if (epilogue && dtype == DType.BF16) {
                    product = backend.scratch.get(count * Float.BYTES);
                    productType = DType.F32;
                }
                multiply(
                        false,
                        true,
                        input.shape().dim(0),
                        outputs,
                        input.shape().dim(1),
                        input.address(),
                        weight(weight, dtype),
                        dtype,
                        product,
                        productType);
            }
            if (epilogue) {
                backend.bias.add(
                        product,
                        productType,
                        bias == null ? 0 : bias.address(),
                        activation,
                        outputs,
                        output.address(),
                        dtype,
                        count);
            }
        }
    }

    /** C[m, n] = op(A)·op(B), C being F32 or of the factors' dtype. */
    private void multiply(
            boolean transposeA,
            boolean transposeB,
            long m,
            long n,
            long k,
            long a,
            long b,
            DType factors,
            long c,
            DType result) {
        backend.enter();
        backend.blas().gemm(transposeA, transposeB, m, n, k, 1, a, b, factors, 0, c, result);
    }

    private long weight(Tensor weight, DType dtype) {
        return dtype == DType.BF16 ? backend.bf16(weight) : weight.storage().blockAddress();
    }

    @Override
    public void backwardInput(Tensor gradOutput, Tensor weight, Tensor gradInput) {
        backend.checkDTypes("dense", gradOutput, gradInput, weight);
        if (gradInput.elementCount() == 0) {
            return;
        }
        if (gradOutput.elementCount() == 0) {
            backend.fill(gradInput, 0);
            return;
        }
        DType dtype = gradInput.dtype();
        synchronized (backend.lock) {
            multiply(
                    false,
                    false,
                    gradInput.shape().dim(0),
                    gradInput.shape().dim(1),
                    gradOutput.shape().dim(1),
                    gradOutput.address(),
                    weight(weight, dtype),
                    dtype,
                    gradInput.address(),
                    dtype);
        }
    }

    @Override
    public void backwardWeight(Tensor input, Tensor gradOutput, Tensor gradWeight, Tensor gradBias) {
        backend.checkDTypes("dense", input, gradOutput, gradWeight);
        if (gradOutput.elementCount() == 0 || input.elementCount() == 0) {
            backend.fill(gradWeight, 0);
        } else {
            synchronized (backend.lock) {
                multiply(
                        true,
                        false,
                        gradOutput.shape().dim(1),
                        input.shape().dim(1),
                        input.shape().dim(0),
                        gradOutput.address(),
                        input.address(),
                        input.dtype(),
                        gradWeight.address(),
                        DType.F32);
            }
        }
        if (gradBias != null) {
            backend.bias.gradient(gradOutput, gradBias);
        }
    }
}
