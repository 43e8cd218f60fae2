package tenon.engine.backend.shapes;

import java.lang.foreign.MemorySegment;
import tenon.engine.DType;
import tenon.engine.Device;
import tenon.engine.Rng;
import tenon.engine.Shape;
import tenon.engine.Tensor;
import tenon.engine.backend.ActivationKernels;
import tenon.engine.backend.Backend;
import tenon.engine.backend.BackendStatistics;
import tenon.engine.backend.ChannelKernels;
import tenon.engine.backend.ConvolutionKernels;
import tenon.engine.backend.DenseKernels;
import tenon.engine.backend.LossKernels;
import tenon.engine.backend.MetricKernels;
import tenon.engine.backend.NormalizationKernels;
import tenon.engine.backend.OpKind;
import tenon.engine.backend.PoolingKernels;
import tenon.engine.backend.RandomKernels;
import tenon.engine.backend.UpdateKernels;
import tenon.engine.memory.Allocator;
import tenon.engine.memory.MemoryStatistics;
import tenon.engine.memory.Storage;
import tenon.engine.ops.Activation;
import tenon.engine.ops.BatchNormSpec;
import tenon.engine.ops.ConvSpec;
import tenon.engine.ops.PoolSpec;

/**
 * Runs any network without memory or arithmetic: shape inference and its error messages work as everywhere, tensors have no contents (reading one gives
 * zeros). Counts the multiply-adds of forward convolutions, dense layers and matrix products, which is how a model summary costs nothing.
 */
public final class ShapeBackend
        implements Backend,
                DenseKernels,
                ConvolutionKernels,
                PoolingKernels,
                NormalizationKernels,
                ActivationKernels,
                ChannelKernels,
                LossKernels,
                RandomKernels,
                MetricKernels,
                UpdateKernels {
    private long multiplyAdds;

    /** Multiply-adds since the back-end was made. */
    public long multiplyAdds() {
        return multiplyAdds;
    }

    @Override
    public String name() {
        return "shapes";
    }

    @Override
    public Device device() {
        return Device.NONE;
    }

    @Override
    public Allocator allocator() {
        return NoMemory.INSTANCE;
    }

    @Override
    public boolean supports(OpKind op, DType dtype) {
        return true;
    }

    @Override
    public void synchronize() {}

    @Override
    public void upload(MemorySegment from, Tensor to) {}

    @Override
    public void download(Tensor from, MemorySegment to) {
        to.fill((byte) 0);
    }

    @Override
    public void copy(Tensor from, Tensor to) {}

    @Override
    public void cast(Tensor from, Tensor to) {}

    @Override
    public void fill(Tensor tensor, double value) {}

    @Override
    public boolean isFinite(Tensor tensor) {
        return true;
    }

    @Override
    public void gemm(boolean transposeA, boolean transposeB, double alpha, Tensor a, Tensor b, double beta, Tensor c) {
        multiplyAdds += c.elementCount() * a.shape().dim(transposeA ? 0 : 1);
    }

    @Override
    public void add(Tensor a, Tensor b, Tensor out) {}

    @Override
    public void multiply(Tensor a, Tensor b, Tensor out) {}

    @Override
    public void scale(Tensor in, double factor, Tensor out) {}

    @Override
    public void sumTo(Tensor in, Tensor out) {}

    // ---- families: this object is all of them ----

    @Override
    public DenseKernels dense() {
        return this;
    }

    @Override
    public ConvolutionKernels convolution() {
        return this;
    }

    @Override
    public PoolingKernels pooling() {
        return this;
    }

    @Override
    public NormalizationKernels normalization() {
        return this;
    }

    @Override
    public ActivationKernels activation() {
        return this;
    }

    @Override
    public ChannelKernels channels() {
        return this;
    }

    @Override
    public LossKernels losses() {
        return this;
    }

    @Override
    public RandomKernels random() {
        return this;
    }

    @Override
    public MetricKernels metrics() {
        return this;
    }

    @Override
    public UpdateKernels updates() {
        return this;
    }

    @Override
    public BackendStatistics statistics() {
        return new BackendStatistics(0, 0, 0);
    }

    @Override
    public void close() {}

    // ---- dense, convolution: counted ----

    @Override
    public void forward(Tensor input, Tensor weight, Tensor bias, Activation activation, Tensor output) {
        multiplyAdds += output.elementCount() * weight.shape().dim(1);
    }

    @Override
    public void backwardInput(Tensor gradOutput, Tensor weight, Tensor gradInput) {}

    @Override
    public void backwardWeight(Tensor input, Tensor gradOutput, Tensor gradWeight, Tensor gradBias) {}

    @Override
    public void forward(ConvSpec spec, Tensor input, Tensor weight, Tensor bias, Activation activation, Tensor output) {
        Shape w = weight.shape();
        multiplyAdds += output.elementCount() * w.dim(1) * w.dim(2) * w.dim(3);
    }

    @Override
    public void backwardInput(ConvSpec spec, Tensor gradOutput, Tensor weight, Tensor gradInput) {}

    @Override
    public void backwardWeight(ConvSpec spec, Tensor input, Tensor gradOutput, Tensor gradWeight, Tensor gradBias) {}

    // ---- everything else: nothing to do ----

    @Override
    public DType workspaceType() {
        return DType.U8;
    }

    @Override
    public Shape workspaceShape(PoolSpec spec, Shape input, Shape output) {
        return output;
    }

    @Override
    public void maxForward(PoolSpec spec, Tensor input, Tensor output, Tensor workspace) {}

    @Override
    public void maxBackward(PoolSpec spec, Tensor gradOutput, Tensor workspace, Tensor gradInput) {}

    @Override
    public void averageForward(PoolSpec spec, Tensor input, Tensor output) {}

    @Override
    public void averageBackward(PoolSpec spec, Tensor gradOutput, Tensor gradInput) {}

    @Override
    public void trainForward(
            BatchNormSpec spec,
            Tensor input,
            Tensor gamma,
            Tensor beta,
            Tensor runningMean,
            Tensor runningVariance,
            Tensor shortcut,
            Tensor output,
            int offset,
            Tensor batchMean,
            Tensor batchVariance) {}

    @Override
    public void inferForward(
            BatchNormSpec spec,
            Tensor input,
            Tensor gamma,
            Tensor beta,
            Tensor runningMean,
            Tensor runningVariance,
            Tensor shortcut,
            Tensor output,
            int offset) {}

    @Override
    public void backward(
            BatchNormSpec spec,
            Tensor input,
            Tensor gamma,
            Tensor beta,
            Tensor mean,
            Tensor variance,
            boolean constantStatistics,
            Tensor output,
            Tensor gradOutput,
            int offset,
            Tensor gradInput,
            Tensor gradShortcut,
            Tensor gradGamma,
            Tensor gradBeta) {}

    @Override
    public void forward(Activation activation, Tensor input, Tensor output) {}

    @Override
    public void backward(Activation activation, Tensor output, Tensor gradOutput, Tensor gradInput) {}

    @Override
    public void preluForward(Tensor input, Tensor slope, Tensor output) {}

    @Override
    public void preluBackward(Tensor input, Tensor slope, Tensor gradOutput, Tensor gradInput, Tensor gradSlope) {}

    @Override
    public void addForward(Activation activation, Tensor a, Tensor b, Tensor output) {}

    @Override
    public void copy(Tensor from, int fromOffset, Tensor to, int toOffset, int count) {}

    @Override
    public void activate(Activation activation, Tensor[] from, Tensor to, int toOffset) {}

    @Override
    public void activateBackward(
            Activation activation, Tensor output, Tensor gradOutput, int offset, Tensor[] gradInput) {}

    @Override
    public void softmaxForward(Tensor input, Tensor output) {}

    @Override
    public void softmaxBackward(Tensor output, Tensor gradOutput, Tensor gradInput) {}

    @Override
    public void softmaxCrossEntropyForward(
            Tensor logits, Tensor target, double smoothing, Tensor loss, Tensor probabilities) {}

    @Override
    public void softmaxCrossEntropyBackward(
            Tensor probabilities, Tensor target, double smoothing, Tensor gradLoss, Tensor gradLogits) {}

    @Override
    public void sigmoidCrossEntropyForward(Tensor logits, Tensor target, Tensor loss) {}

    @Override
    public void sigmoidCrossEntropyBackward(Tensor logits, Tensor target, Tensor gradLoss, Tensor gradLogits) {}

    @Override
    public void meanSquaredErrorForward(Tensor input, Tensor target, Tensor loss) {}

    @Override
    public void meanSquaredErrorBackward(Tensor input, Tensor target, Tensor gradLoss, Tensor gradInput) {}

    @Override
    public long findBadIndex(Tensor indices, int classes) {
        return -1;
    }

    @Override
    public void dropout(Tensor input, double rate, Rng rng, Tensor output) {}

    @Override
    public void uniform(Tensor output, double low, double high, Rng rng) {}

    @Override
    public void normal(Tensor output, double mean, double standardDeviation, Rng rng) {}

    @Override
    public void topK(Tensor input, int k, Tensor output) {}

    @Override
    public void sgd(
            Tensor[] weight,
            Tensor[] grad,
            Tensor[] velocity,
            float rate,
            float momentum,
            boolean nesterov,
            float rescale,
            Tensor clip,
            float[] weightDecay,
            float[] rateScale) {}

    @Override
    public void adam(
            Tensor[] weight,
            Tensor[] grad,
            Tensor[] firstMoment,
            Tensor[] secondMoment,
            float rate,
            float beta1,
            float beta2,
            float epsilon,
            int t,
            boolean decoupled,
            float rescale,
            Tensor clip,
            float[] weightDecay,
            float[] rateScale) {}

    @Override
    public void rmsprop(
            Tensor[] weight,
            Tensor[] grad,
            Tensor[] squareAverage,
            Tensor[] buffer,
            float rate,
            float decay,
            float epsilon,
            float momentum,
            float rescale,
            Tensor clip,
            float[] weightDecay,
            float[] rateScale) {}

    @Override
    public double sumOfSquares(Tensor[] tensors) {
        return 0;
    }

    @Override
    public void clipFactor(Tensor[] grad, double rescale, double limit, Tensor clip) {}

    /** Hands out blocks without bytes. */
    private static final class NoMemory implements Allocator {
        static final NoMemory INSTANCE = new NoMemory();

        @Override
        public Storage allocate(long byteSize) {
            Storage storage = new Storage(this, null, 0, byteSize);
            storage.retain();
            return storage;
        }

        @Override
        public void free(Storage storage) {}

        @Override
        public MemoryStatistics statistics() {
            return new MemoryStatistics(0, 0, 0, 0, 0, 0);
        }

        @Override
        public void trim() {}

        @Override
        public void close() {}
    }
}
