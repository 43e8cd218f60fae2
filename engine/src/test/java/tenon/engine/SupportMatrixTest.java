package tenon.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import tenon.engine.backend.Backend;
import tenon.engine.backend.OpKind;
import tenon.engine.backend.cpu.CpuBackend;
import tenon.engine.backend.reference.ReferenceBackend;
import tenon.engine.nativelib.DnnlInfo;
import tenon.engine.testing.CudaTesting;
import tenon.simulator.SimulatedDevice;

/** Who supports what: printed to target/support-matrix.txt, and a gap that appears or closes unnoticed fails. */
class SupportMatrixTest {
    /** Updates are missing: parameters are F32. */
    private static final Set<OpKind> BF16_OPS =
            EnumSet.complementOf(EnumSet.of(OpKind.SGD, OpKind.ADAM, OpKind.RMSPROP));

    private static final Path REPORT = Path.of("target", "support-matrix.txt");

    @Test
    void isAsDocumented() throws IOException {
        try (Backend reference = ReferenceBackend.open();
                Backend cpu = CpuBackend.open(1);
                Backend cuda = SimulatedDevice.why().isEmpty() ? CudaTesting.open() : null) {
            print(Stream.of(reference, cpu, cuda).filter(Objects::nonNull).toList());
            for (OpKind op : OpKind.values()) {
                Set<DType> wanted = EnumSet.of(DType.F32);
                if (BF16_OPS.contains(op) && DnnlInfo.hasBf16()) {
                    wanted.add(DType.BF16);
                }
                assertThat(supported(cpu, op)).as("cpu %s", op).isEqualTo(wanted);
                if (cuda != null) {
                    wanted = EnumSet.of(DType.F32);
                    if (BF16_OPS.contains(op)) {
                        wanted.add(DType.BF16);
                    }
                    assertThat(supported(cuda, op)).as("cuda %s", op).isEqualTo(wanted);
                }
                wanted = EnumSet.of(DType.F32, DType.F64);
                if (BF16_OPS.contains(op)) {
                    wanted.add(DType.BF16);
                }
                assertThat(supported(reference, op)).as("reference %s", op).isEqualTo(wanted);
            }
        }
    }

    private static Set<DType> supported(Backend backend, OpKind op) {
        Set<DType> types = EnumSet.noneOf(DType.class);
        for (DType dtype : DType.values()) {
            if (backend.supports(op, dtype)) {
                types.add(dtype);
            }
        }
        return types;
    }

    private static void print(List<Backend> backends) throws IOException {
        StringBuilder table = new StringBuilder("%-24s".formatted("op"));
        for (Backend backend : backends) {
            table.append(" %-16s".formatted(backend.name()));
        }
        for (OpKind op : OpKind.values()) {
            table.append("\n%-24s".formatted(op));
            for (Backend backend : backends) {
                String types = supported(backend, op).toString();
                table.append(" %-16s".formatted(types.substring(1, types.length() - 1)));
            }
        }
        Files.createDirectories(REPORT.getParent());
        Files.writeString(REPORT, table.append('\n').toString().replaceAll(" +\n", "\n"));
    }
}
