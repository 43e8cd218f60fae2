package tenon.simulator;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.function.DoubleUnaryOperator;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Approximate arithmetic is as far off as NVIDIA documents, and knows NaN, infinities and comparisons as exact arithmetic does. */
class FastMathTest {
    private static final String FAST = "--use_fast_math";
    private static final String STRICT = "--ftz=false";
    private static final int COUNT = 4000;
    private static final float TINY = 1e-40f;

    @AutoClose
    private final Cuda cuda = Cuda.withContext();

    /** Of each expression its values where v is x[0], x[1], ...; one compilation. */
    private float[][] map(String option, float[] x, String... expressions) {
        StringBuilder source = new StringBuilder("TENON_KERNEL(f, const float *x, float *y, int n) {\n");
        source.append("for (int i = 0; i < n; i++) { float v = x[i];\n");
        for (int k = 0; k < expressions.length; k++) {
            source.append("y[" + k + " * n + i] = " + expressions[k] + ";\n");
        }
        long kernel = cuda.kernel(source.append("} }").toString(), "f", option);
        long from = cuda.upload(x);
        long to = cuda.allocate(4L * x.length * expressions.length);
        assertThat(cuda.run(kernel, 1, 1, from, to, x.length)).isEqualTo(Cuda.SUCCESS);
        float[] all = cuda.download(to, x.length * expressions.length);
        float[][] values = new float[expressions.length][];
        for (int k = 0; k < expressions.length; k++) {
            values[k] = Arrays.copyOfRange(all, k * x.length, (k + 1) * x.length);
        }
        return values;
    }

    private static float[] between(double from, double to) {
        float[] values = new float[COUNT];
        for (int i = 0; i < COUNT; i++) {
            values[i] = (float) (from + (to - from) * i / COUNT);
        }
        return values;
    }

    private static double unitsOff(float actual, double exact) {
        return Math.abs(actual - exact) / Math.ulp((float) exact);
    }

    private static double most(float[] x, float[] y, DoubleUnaryOperator exact) {
        double most = 0;
        for (int i = 0; i < x.length; i++) {
            most = Math.max(most, unitsOff(y[i], exact.applyAsDouble(x[i])));
        }
        return most;
    }

    /** The half unit is the rounding that the documented distance begins at. */
    @Test
    void quotientsAndRootsAreUnitsOff() {
        float[] x = between(0.1, 50);
        float[][] fast = map(FAST, x, "1.7f / v", "sqrtf(v)");
        assertThat(most(x, fast[0], v -> 1.7f / v)).isBetween(1.5, 2.5);
        assertThat(most(x, fast[1], Math::sqrt)).isBetween(2.5, 3.5);
        float[][] quotients = map("--prec-div=false", x, "v / 3", "sqrtf(v)");
        assertThat(most(x, quotients[0], v -> v / 3)).isBetween(1.5, 2.5);
        assertThat(most(x, quotients[1], Math::sqrt)).isLessThanOrEqualTo(0.5);
        float[][] roots = map("--prec-sqrt=false", x, "v / 3", "sqrtf(v)");
        assertThat(most(x, roots[0], v -> v / 3)).isLessThanOrEqualTo(0.5);
        assertThat(most(x, roots[1], Math::sqrt)).isBetween(2.5, 3.5);
    }

    @ParameterizedTest
    @CsvSource({"-1, 3", "-10, 13", "20, 25"})
    void exponentialsAreMoreUnitsOffFurtherFromZero(float at, double units) {
        float[] x = between(at - 0.01, at);
        assertThat(most(x, map(FAST, x, "expf(v)")[0], Math::exp)).isBetween(units - 1, units + 1);
        float[][] strict = map(STRICT, x, "expf(v)", "__expf(v)");
        assertThat(most(x, strict[0], Math::exp)).isLessThan(1);
        assertThat(most(x, strict[1], Math::exp)).as("by its name").isBetween(units - 1, units + 1);
    }

    @Test
    void logarithmsAreOffByAConstantNearOneAndByUnitsElsewhere() {
        float[] near = between(0.5, 2);
        float[] logarithms = map(FAST, near, "logf(v)")[0];
        double most = 0;
        for (int i = 0; i < COUNT; i++) {
            most = Math.max(most, Math.abs(logarithms[i] - Math.log(near[i])));
        }
        assertThat(most).isBetween(0x1p-22, Math.pow(2, -21.41));
        float[] far = between(3, 1000);
        assertThat(most(far, map(FAST, far, "logf(v)")[0], Math::log)).isBetween(2.5, 3.6);
    }

    @Test
    void theHyperbolicTangentHasElevenBits() {
        float[] x = between(-5, -0.01);
        float[] y = map(FAST, x, "tanhf(v)")[0];
        double most = 0;
        for (int i = 0; i < COUNT; i++) {
            most = Math.max(most, Math.abs(y[i] / Math.tanh(x[i]) - 1));
        }
        assertThat(most).isBetween(0x1p-12, 0x1p-11);
    }

    /** As the product with a reciprocal that is 0 has it. */
    @Test
    void quotientsByHugeNumbersAreZero() {
        float[] x = {0x1p127f, -0x1p127f, Float.POSITIVE_INFINITY, 0x1p126f};
        float[][] fast = map(FAST, x, "0x1p120f / v", "INFINITY / v");
        assertThat(fast[0]).startsWith(0f, -0f, 0f);
        assertThat(fast[0][3]).isPositive();
        assertThat(fast[1]).containsExactly(Float.NaN, Float.NaN, Float.NaN, Float.POSITIVE_INFINITY);
        assertThat(map("--prec-div=false", x, "0x1p120f / v")[0][0]).isPositive();
    }

    @Test
    void divisionsAreFoundWhereverTheyAre() {
        String source = """
            #define HALF(x) ((x) / 2)
            #if 4 / 2 == 2 // a directive is no source
            template <int N> struct Size { static const int VALUE = N / 4; };
            #endif
            TENON_KERNEL(f, float *y, float a) {
                int seven = 7, shared[16 / 4];  // "a / b" in a comment /
                const char *text = "a / b";     /* and / another */
                char slash = '/';
                shared[3] = 1'000 / 10;
                seven /= 1 + 1;
                double third = 1.0 / 3;
                float b = a, c = a;
                b /= seven == 3 ? 10.0f : 1.0f;
                c = HALF(c) / 5 * 2 / 2;
                y[0] = seven;
                y[1] = Size<16 / 2>::VALUE + shared[3];
                y[2] = third == 0x1.5555555555555p-2;
                y[3] = b;
                y[4] = c;
                y[5] = text[2] == slash;
            }
            """;
        long y = cuda.allocate(24);
        assertThat(cuda.run(cuda.kernel(source, "f", FAST), 1, 1, y, 0.7f)).isEqualTo(Cuda.SUCCESS);
        float[] values = cuda.download(y, 6);
        assertThat(values).startsWith(3, 102, 1);
        assertThat(values[5]).isOne();
        assertThat(unitsOff(values[3], 0.7f / 10.0)).as("a / 10").isBetween(1.5, 2.5);
        assertThat(unitsOff(values[4], 0.7f / 10.0)).as("a / 2 / 5 * 2 / 2").isBetween(1.5, 8.0);
    }

    @ParameterizedTest
    @ValueSource(strings = {FAST, "--ftz=true"})
    void denormalNumbersAreZeroAsOperandsAndAsResults(String option) {
        float[] x = {TINY, -TINY, 0x1p-126f};
        float[][] y = map(option, x, "v * 0x1p20f", "v * 0.5f", "v > 0", "v");
        assertThat(y[0]).containsExactly(0f, -0f, 0x1p-106f);
        assertThat(y[1]).containsExactly(0f, -0f, 0f);
        assertThat(y[2]).as("in comparisons").containsExactly(0, 0, 1);
        assertThat(y[3]).as("copied").containsExactly(x);
        assertThat(x[2] * 0.5f).as("this thread's own arithmetic").isEqualTo(0x1p-127f);
    }

    @Test
    void denormalNumbersStayInTheStrictBuild() {
        float[] x = {TINY, -TINY, 0x1p-126f};
        assertThat(map(STRICT, x, "v * 0.5f")[0]).containsExactly(TINY / 2, -TINY / 2, 0x1p-127f);
    }

    @Test
    void nanIsSeen() {
        String[] questions = {
            "v != v", "!(v < 1) && !(v > 1) && v != 1", "isnan(v)", "(v <= 0 ? 0 : v) != v", "sqrtf(v) != sqrtf(v)"
        };
        for (float[] answer : map(FAST, new float[] {Float.NaN, 2}, questions)) {
            assertThat(answer).containsExactly(1, 0);
        }
    }

    @Test
    void infinitiesAndNanKeepTheirMeaning() {
        float infinity = Float.POSITIVE_INFINITY;
        float[] x = {infinity, -infinity, Float.NaN, 0};
        float[][] y = map(FAST, x, "expf(v)", "logf(v)", "tanhf(v)", "1 / v", "isinf(v)", "fmaxf(v, 1)");
        assertThat(y[0]).startsWith(infinity, 0, Float.NaN);
        assertThat(y[1]).containsExactly(infinity, Float.NaN, Float.NaN, -infinity);
        assertThat(y[2][2]).isNaN();
        assertThat(y[3]).containsExactly(0, -0f, Float.NaN, infinity);
        assertThat(y[4]).containsExactly(1, 1, 0, 0);
        assertThat(y[5]).containsExactly(infinity, 1, 1, 1);
    }

    @Test
    void namedRoundingStaysAndEqualArgumentsGiveEqualResults() {
        float[] x = between(0.1, 9);
        float[] apart = new float[COUNT];
        float[] tenths = new float[COUNT];
        for (int i = 0; i < COUNT; i++) {
            apart[i] = x[i] * x[i] + x[i];
            tenths[i] = x[i] / 10;
        }
        float[][] y = map(FAST, x, "__fadd_rn(__fmul_rn(v, v), v)", "__fdiv_rn(v, 10)", "expf(v) / v", "expf(v) / v");
        assertThat(y[0]).containsExactly(apart);
        assertThat(y[1]).containsExactly(tenths);
        assertThat(y[2]).containsExactly(y[3]);
    }
}
