package tenon.engine.nativelib;

import org.bytedeco.dnnl.dnnl_version_t;
import org.bytedeco.dnnl.global.dnnl;

/**
 * The oneDNN library that the CPU back-end uses.
 *
 * @param version e.g. {@code 3.11.0}
 * @param instructionSet the largest that its kernels use on this machine, e.g. {@code avx512_core_amx}; {@code ONEDNN_MAX_CPU_ISA} lowers it
 * @param path of the unpacked library
 */
public record DnnlInfo(String version, String instructionSet, String path) {
    /** Loads the library. */
    public static DnnlInfo read() {
        String path = DnnlLibrary.load();
        dnnl_version_t version = dnnl.dnnl_version();
        return new DnnlInfo(
                version.major() + "." + version.minor() + "." + version.patch(),
                instructionSet(dnnl.dnnl_get_effective_cpu_isa()),
                path);
    }

    /** Whether the instruction set in force has oneDNN's bfloat16 kernels: AVX-512, or AVX2 with VNNI 2. Without, creating one fails. */
    public static boolean hasBf16() {
        DnnlLibrary.load();
        return hasBf16(dnnl.dnnl_get_effective_cpu_isa());
    }

    public static boolean hasAvx512() {
        DnnlLibrary.load();
        return contains(dnnl.dnnl_get_effective_cpu_isa(), dnnl.dnnl_cpu_isa_avx512_core);
    }

    /** Whether it has matrix units for BF16, which multiply some eight times as fast as F32 vectors. */
    public static boolean hasAmx() {
        DnnlLibrary.load();
        return contains(dnnl.dnnl_get_effective_cpu_isa(), dnnl.dnnl_cpu_isa_avx512_core_amx);
    }

    /** The values are sets of bits: a larger instruction set contains those of the smaller. */
    static boolean hasBf16(int isa) {
        return contains(isa, dnnl.dnnl_cpu_isa_avx512_core) || contains(isa, dnnl.dnnl_cpu_isa_avx2_vnni_2);
    }

    private static boolean contains(int isa, int smaller) {
        return (isa & smaller) == smaller;
    }

    static String instructionSet(int isa) {
        return switch (isa) {
            case dnnl.dnnl_cpu_isa_default -> "default";
            case dnnl.dnnl_cpu_isa_sse41 -> "sse41";
            case dnnl.dnnl_cpu_isa_avx -> "avx";
            case dnnl.dnnl_cpu_isa_avx2 -> "avx2";
            case dnnl.dnnl_cpu_isa_avx2_vnni -> "avx2_vnni";
            case dnnl.dnnl_cpu_isa_avx2_vnni_2 -> "avx2_vnni_2";
            case dnnl.dnnl_cpu_isa_avx512_core -> "avx512_core";
            case dnnl.dnnl_cpu_isa_avx512_core_vnni -> "avx512_core_vnni";
            case dnnl.dnnl_cpu_isa_avx512_core_bf16 -> "avx512_core_bf16";
            case dnnl.dnnl_cpu_isa_avx512_core_fp16 -> "avx512_core_fp16";
            case dnnl.dnnl_cpu_isa_avx512_core_amx -> "avx512_core_amx";
            case dnnl.dnnl_cpu_isa_avx512_core_amx_fp16 -> "avx512_core_amx_fp16";
            case dnnl.dnnl_cpu_isa_avx10_2_512 -> "avx10_2_512";
            case dnnl.dnnl_cpu_isa_avx10_2_512_amx_2 -> "avx10_2_512_amx_2";
            default -> "isa_" + isa;
        };
    }
}
