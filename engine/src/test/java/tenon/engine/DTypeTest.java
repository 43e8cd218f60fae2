package tenon.engine;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class DTypeTest {
    @Test
    void everyBfloat16SurvivesARoundTrip() {
        for (int bits = 0; bits <= 0xFFFF; bits++) {
            float value = DType.bf16ToFloat((short) bits);
            short back = DType.floatToBf16(value);
            if (Float.isNaN(value)) {
                assertThat(DType.bf16ToFloat(back)).isNaN();
            } else if (back != (short) bits) {
                throw new AssertionError(Integer.toHexString(bits) + " became " + Integer.toHexString(back & 0xFFFF));
            }
        }
    }

    @Test
    void roundsToNearestEven() {
        assertThat(rounded(0x3F80_0000)).isEqualTo(0x3F80);
        assertThat(rounded(0x3F80_7FFF)).isEqualTo(0x3F80);
        assertThat(rounded(0x3F80_8000)).as("tie, even below").isEqualTo(0x3F80);
        assertThat(rounded(0x3F81_8000)).as("tie, even above").isEqualTo(0x3F82);
        assertThat(rounded(0x3F80_8001)).isEqualTo(0x3F81);
        assertThat(rounded(0xBF81_8000)).as("negative tie").isEqualTo(0xBF82);
        assertThat(rounded(0x7F7F_FFFF)).as("overflow").isEqualTo(0x7F80);
        assertThat(rounded(0x0000_0001)).as("smallest denormal").isZero();
    }

    @Test
    void nanNeverBecomesInfinity() {
        for (int bits : new int[] {0x7F80_0001, 0x7FFF_FFFF, 0xFFFF_FFFF, 0xFF80_0001}) {
            assertThat(DType.bf16ToFloat(DType.floatToBf16(Float.intBitsToFloat(bits))))
                    .isNaN();
        }
    }

    private static int rounded(int floatBits) {
        return DType.floatToBf16(Float.intBitsToFloat(floatBits)) & 0xFFFF;
    }

    @Test
    void sizesAreThoseOfTheLayout() {
        for (DType dtype : DType.values()) {
            assertThat(dtype.layout().byteSize()).isEqualTo(dtype.byteSize());
        }
        assertThat(DType.BF16.isFloating()).isTrue();
        assertThat(DType.I32.isFloating()).isFalse();
    }
}
