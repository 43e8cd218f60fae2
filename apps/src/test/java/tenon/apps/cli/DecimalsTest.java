package tenon.apps.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class DecimalsTest {
    @Test
    void noExponentAndNoZeros() {
        assertThat(Decimals.plain(2e-4)).isEqualTo("0.0002");
        assertThat(Decimals.plain(100)).isEqualTo("100");
        assertThat(Decimals.plain(0)).isEqualTo("0");
        assertThat(Decimals.plain(0.1 + 0.2)).isEqualTo("0.30000000000000004");
    }

    @Test
    void digitsThatCount() {
        assertThat(Decimals.rounded(0.00239187, 4)).isEqualTo("0.002392");
        assertThat(Decimals.rounded(0.01, 3)).isEqualTo("0.01");
        assertThat(Decimals.rounded(7.999, 2)).isEqualTo("8");
        assertThat(Decimals.rounded(1234, 2)).isEqualTo("1200");
    }
}
