package tenon.layers;

import tenon.engine.DType;
import tenon.engine.Device;
import tenon.engine.Generator;
import tenon.engine.Rng;
import tenon.engine.Shape;
import tenon.engine.Tensor;
import tenon.layers.VarianceScaling.Distribution;
import tenon.layers.VarianceScaling.Mode;

/**
 * Fills a new weight. Element i takes draw i of the sequence, so initial weights depend on the seed and the order of construction, not on the
 * back-end.
 */
@FunctionalInterface
public interface Initializer {
    /** Overwrites {@code weight}; constants need neither fan nor sequence. */
    void fill(Tensor weight, Rng rng);

    /** A new F32 tensor in the current scope, filled with the thread's next initialization sequence ({@link Generator}); shapes alone take none. */
    default Tensor create(Shape shape) {
        Tensor weight = Tensor.empty(shape, DType.F32);
        if (weight.device() != Device.NONE) {
            fill(weight, Generator.current().nextInitialization());
        }
        return weight;
    }

    static Initializer constant(double value) {
        return (weight, _) -> weight.fill(value);
    }

    static Initializer zeros() {
        return constant(0);
    }

    /** Normal with mean 0. */
    static Initializer normal(double standardDeviation) {
        return (weight, rng) -> weight.backend().random().normal(weight, 0, standardDeviation, rng);
    }

    /** Uniform in [−range, range). */
    static Initializer uniform(double range) {
        return (weight, rng) -> weight.backend().random().uniform(weight, -range, range, rng);
    }

    /** Normal with mean 0, drawn again where it lies more than two standard deviations away; as TensorFlow's and Keras's. */
    static Initializer truncatedNormal(double standardDeviation) {
        return new TruncatedNormal(standardDeviation);
    }

    /**
     * Uniform in ±sqrt(6 / (fanIn + fanOut)) (Glorot and Bengio 2010, "Understanding the difficulty of training deep feedforward neural
     * networks", eq. 16). Default of Keras; MXNet's {@code Xavier()}.
     */
    static Initializer glorotUniform() {
        return new VarianceScaling(1, Mode.AVERAGE, Distribution.UNIFORM);
    }

    /** Normal with standard deviation sqrt(2 / (fanIn + fanOut)) (Glorot and Bengio 2010, eq. 12). */
    static Initializer glorotNormal() {
        return new VarianceScaling(1, Mode.AVERAGE, Distribution.NORMAL);
    }

    /** Uniform in ±sqrt(6 / fanIn): the variance of {@link #heNormal}. */
    static Initializer heUniform() {
        return new VarianceScaling(2, Mode.IN, Distribution.UNIFORM);
    }

    /** Normal with standard deviation sqrt(2 / fanIn) (He et al. 2015, "Delving deep into rectifiers", eq. 10). */
    static Initializer heNormal() {
        return new VarianceScaling(2, Mode.IN, Distribution.NORMAL);
    }

    /** {@link #heNormal} cut at two standard deviations, which Keras's {@code he_normal} is. */
    static Initializer heTruncatedNormal() {
        return new VarianceScaling(2, Mode.IN, Distribution.TRUNCATED_NORMAL);
    }

    /** MXNet's {@code MSRAPrelu()} with its defaults: slope 0.25, average fan. Not exactly He's: for ReLU that would be slope 0 and fanIn. */
    static Initializer msraPrelu() {
        return msraPrelu(Mode.AVERAGE, 0.25);
    }

    /** Normal with standard deviation sqrt(2 / (1 + slope²) / fan) (He et al. 2015, eq. 15, with a choice of fan). */
    static Initializer msraPrelu(Mode mode, double slope) {
        return new VarianceScaling(2 / (1 + slope * slope), mode, Distribution.NORMAL);
    }
}
