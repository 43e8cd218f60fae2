package tenon.layers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tenon.engine.Generator;
import tenon.engine.Rng;
import tenon.engine.Scope;
import tenon.engine.Shape;
import tenon.engine.Tensor;
import tenon.engine.backend.reference.ReferenceBackend;
import tenon.engine.backend.shapes.ShapeBackend;
import tenon.layers.VarianceScaling.Mode;

/** Samples against the cited formulas; fans and seeds. */
class InitializerTest {
    /** fanIn = 3·3·32 = 288, fanOut = 3·3·256 = 2304; 73,728 samples. */
    private static final Shape CONV = Shape.of(256, 3, 3, 32);

    /** fanIn 300, fanOut 500; 150,000 samples. */
    private static final Shape DENSE = Shape.of(500, 300);

    private ReferenceBackend backend;
    private Scope scope;

    @BeforeEach
    void open() {
        backend = ReferenceBackend.open();
        scope = Scope.open("test", backend);
        Generator.current().manualSeed(11);
    }

    @AfterEach
    void close() {
        scope.close();
        backend.close();
    }

    @Test
    void fansOfDenseConvolutionAndGroups() {
        assertThat(Fan.of(DENSE)).isEqualTo(new Fan(300, 500));
        assertThat(Fan.of(CONV)).isEqualTo(new Fan(288, 2304));
        assertThat(Fan.of(Shape.of(32, 3, 3, 1))).isEqualTo(new Fan(9, 288));
        assertThatThrownBy(() -> Fan.of(Shape.of(3)))
                .hasMessage("fan: the weight must be [O, I] or [K, R, S, C / groups]: weight=[3]");
    }

    private static void assertUniform(Initializer initializer, Shape shape, double bound) {
        Statistics s = Statistics.of(initializer.create(shape));
        assertThat(s.largest).isLessThanOrEqualTo(bound * (1 + 1e-7)).isGreaterThan(0.999 * bound);
        assertThat(s.mean).isCloseTo(0, within(0.01 * bound));
        assertThat(s.deviation).isCloseTo(bound / Math.sqrt(3), within(0.01 * bound));
    }

    private static void assertNormal(Initializer initializer, Shape shape, double deviation) {
        Statistics s = Statistics.of(initializer.create(shape));
        assertThat(s.mean).isCloseTo(0, within(0.015 * deviation));
        assertThat(s.deviation).isCloseTo(deviation, within(0.01 * deviation));
        // 6·10⁴ samples or more reach 3.5 deviations, and 6.5 practically never.
        assertThat(s.largest).isBetween(3.5 * deviation, 6.5 * deviation);
        assertThat(s.withinOne).isCloseTo(0.6827, within(0.01));
    }

    @Test
    void uniformOnes() {
        assertUniform(Initializer.uniform(0.07), DENSE, 0.07);
        assertUniform(Initializer.glorotUniform(), DENSE, Math.sqrt(6.0 / 800));
        assertUniform(Initializer.glorotUniform(), CONV, Math.sqrt(6.0 / 2592));
        assertUniform(Initializer.heUniform(), DENSE, Math.sqrt(6.0 / 300));
        assertUniform(Initializer.heUniform(), CONV, Math.sqrt(6.0 / 288));
    }

    @Test
    void normalOnes() {
        assertNormal(Initializer.normal(0.01), DENSE, 0.01);
        assertNormal(Initializer.glorotNormal(), DENSE, Math.sqrt(2.0 / 800));
        assertNormal(Initializer.heNormal(), CONV, Math.sqrt(2.0 / 288));
        assertNormal(Initializer.msraPrelu(), DENSE, Math.sqrt(2 / 1.0625 / 400));
        assertNormal(Initializer.msraPrelu(Mode.IN, 0), CONV, Math.sqrt(2.0 / 288));
        assertNormal(Initializer.msraPrelu(Mode.OUT, 0.5), CONV, Math.sqrt(2 / 1.25 / 2304));
    }

    @Test
    void truncatedNormalsStayWithinTwoDeviations() {
        double deviation = Math.sqrt(2.0 / 288);
        for (Initializer initializer :
                new Initializer[] {Initializer.truncatedNormal(deviation), Initializer.heTruncatedNormal()}) {
            Statistics s = Statistics.of(initializer.create(CONV));
            assertThat(s.largest)
                    .isLessThanOrEqualTo(2 * deviation * (1 + 1e-7))
                    .isGreaterThan(1.99 * deviation);
            // Variance of a standard normal cut at ±2: 1 − 4·φ(2) / (2·Φ(2) − 1) = 0.7737.
            assertThat(s.deviation).isCloseTo(Math.sqrt(0.7737) * deviation, within(0.01 * deviation));
            assertThat(s.mean).isCloseTo(0, within(0.015 * deviation));
        }
    }

    /** The values of MXNet's MSRAPrelu for weights of ResNet-50. */
    @ParameterizedTest
    @CsvSource({"64, 7, 3, 0.033863", "64, 1, 64, 0.171499", "64, 3, 64, 0.057166", "256, 1, 64, 0.108465"})
    void msraPreluIsMxnets(int filters, int kernel, int channels, double deviation) {
        VarianceScaling initializer = (VarianceScaling) Initializer.msraPrelu();
        assertThat(initializer.standardDeviation(Fan.of(Shape.of(filters, kernel, kernel, channels))))
                .isCloseTo(deviation, within(5e-7));
        assertThat(initializer.standardDeviation(Fan.of(Shape.of(1000, 2048)))).isCloseTo(0.035145, within(5e-7));
    }

    @Test
    void constants() {
        assertThat(Initializer.constant(0.25).create(Shape.of(3)).toFloatArray())
                .containsOnly(0.25f);
        assertThat(Initializer.zeros().create(Shape.of(3)).toFloatArray()).containsOnly(0);
        assertThatThrownBy(() -> new VarianceScaling(0, Mode.IN, VarianceScaling.Distribution.NORMAL))
                .hasMessage("variance scaling: magnitude must be positive: magnitude=0.0");
    }

    /** Element i is a function of draw i, so these numbers hold on every back-end. */
    @Test
    void elementsAreTheDrawsOfTheSequence() {
        Tensor uniform = Initializer.uniform(2).create(Shape.of(3));
        Tensor normal = Initializer.normal(2).create(Shape.of(3));
        Rng first = new Rng(11, 0, -1);
        Rng second = new Rng(11, 1, -1);
        for (int i = 0; i < 3; i++) {
            assertThat(uniform.toFloatArray()[i]).isEqualTo((float) (-2 + 4.0 * first.uniform(i)));
            assertThat(normal.toFloatArray()[i]).isEqualTo((float) (2 * second.gaussian(i)));
        }
    }

    @Test
    void shapesAloneTakeNoSequence() {
        try (Scope _ = Scope.open("shapes", new ShapeBackend())) {
            Initializer.glorotUniform().create(DENSE);
        }
        assertThat(Generator.current().nextInitialization().stream()).isZero();
    }

    @Test
    void dropoutAndInitializationShareNoSequence() {
        Rng initialization = Generator.current().nextInitialization();
        Rng op = Generator.current().next();
        assertThat(initialization.bits(0)).isNotEqualTo(op.bits(0));
        assertThat(initialization.step()).isNotEqualTo(op.step());
    }

    private record Statistics(double mean, double deviation, double largest, double withinOne) {
        static Statistics of(Tensor tensor) {
            double[] values = tensor.toDoubleArray();
            double sum = 0;
            double largest = 0;
            for (double value : values) {
                sum += value;
                largest = Math.max(largest, Math.abs(value));
            }
            double mean = sum / values.length;
            double squares = 0;
            for (double value : values) {
                squares += (value - mean) * (value - mean);
            }
            double deviation = Math.sqrt(squares / values.length);
            double inside = 0;
            for (double value : values) {
                inside += Math.abs(value - mean) < deviation ? 1 : 0;
            }
            return new Statistics(mean, deviation, largest, inside / values.length);
        }
    }
}
