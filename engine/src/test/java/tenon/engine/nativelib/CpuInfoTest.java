package tenon.engine.nativelib;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class CpuInfoTest {
    private static final String TWO_CORES =
            "processor\t: 0\nmodel name\t: Some CPU @ 2 GHz\n\nprocessor\t: 1\nmodel name\t: Some CPU @ 2 GHz\n";

    @Test
    void readsModelAndCores() {
        CpuInfo info = CpuInfo.of(TWO_CORES, "1073741824\n");
        assertThat(info.model()).isEqualTo("Some CPU @ 2 GHz");
        assertThat(info.logicalCores()).isEqualTo(2);
        assertThat(info.memoryLimitBytes()).hasValue(1L << 30);
    }

    @Test
    void knowsThatThereIsNoLimit() {
        assertThat(CpuInfo.of(TWO_CORES, "max\n").memoryLimitBytes()).isEmpty();
        assertThat(CpuInfo.of(TWO_CORES, "9223372036854771712").memoryLimitBytes())
                .isEmpty();
        assertThat(CpuInfo.of(TWO_CORES, "").memoryLimitBytes()).isEmpty();
    }

    @Test
    void fallsBackToTheJavaRuntime() {
        CpuInfo info = CpuInfo.of("", "");
        assertThat(info.model()).isEqualTo(System.getProperty("os.arch"));
        assertThat(info.logicalCores()).isEqualTo(info.availableCores());
    }

    @Test
    void namesTheLibrary() {
        DnnlInfo info = DnnlInfo.read();
        assertThat(info.version()).startsWith("3.11");
        assertThat(info.instructionSet()).doesNotStartWith("isa_");
        assertThat(info.path()).contains("dnnl");
    }
}
