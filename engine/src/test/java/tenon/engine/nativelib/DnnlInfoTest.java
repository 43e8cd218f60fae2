package tenon.engine.nativelib;

import static org.assertj.core.api.Assertions.assertThat;

import org.bytedeco.dnnl.global.dnnl;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DnnlInfoTest {
    @ParameterizedTest
    @ValueSource(
            ints = {
                dnnl.dnnl_cpu_isa_avx512_core,
                dnnl.dnnl_cpu_isa_avx512_core_bf16,
                dnnl.dnnl_cpu_isa_avx512_core_amx,
                dnnl.dnnl_cpu_isa_avx2_vnni_2
            })
    void bf16NeedsAvx512OrAvx2WithVnni2(int isa) {
        assertThat(DnnlInfo.hasBf16(isa)).isTrue();
    }

    @ParameterizedTest
    @ValueSource(ints = {dnnl.dnnl_cpu_isa_sse41, dnnl.dnnl_cpu_isa_avx2, dnnl.dnnl_cpu_isa_avx2_vnni})
    void olderInstructionSetsHaveNone(int isa) {
        assertThat(DnnlInfo.hasBf16(isa)).isFalse();
    }
}
