package tenon.apps.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import tenon.engine.nativelib.CudaInfo;
import tenon.engine.nativelib.CudaPart;

class GpuReportTest {
    @Test
    void listsDevicesAndLibraries() {
        GpuReport report = GpuReport.of(new CudaInfo(
                true,
                List.of(
                        new CudaInfo.Gpu(0, "NVIDIA H100 80GB HBM3", "9.0", 79L << 30, List.of(1)),
                        new CudaInfo.Gpu(1, "NVIDIA H100 80GB HBM3", "9.0", 79L << 30, List.of())),
                "12.6",
                List.of(new CudaInfo.Library(CudaPart.CUBLAS, "12.6.4.1", Path.of("/opt/libcublas.so.12"))),
                List.of(),
                List.of("get NCCL")));
        assertThat(report.usable()).isTrue();
        assertThat(report.lines())
                .containsExactly(
                        "gpu          cuda:0 NVIDIA H100 80GB HBM3, compute capability 9.0, 79.0 GiB",
                        "             cuda:1 NVIDIA H100 80GB HBM3, compute capability 9.0, 79.0 GiB",
                        "CUDA         the driver runs CUDA 12.6",
                        "             cuBLAS 12.6.4.1, /opt/libcublas.so.12",
                        "together     cuda:0 reaches the memory of cuda:1",
                        "             cuda:1 reaches the memory of no other GPU",
                        "             gradients would be summed through copies between GPUs; NCCL was not found");
        assertThat(report.json()).containsEntry("gpu_collectives", "copies between GPUs");
        assertThat(report.advice()).containsExactly("get NCCL");
        assertThat(report.json().get("cuda_libraries"))
                .hasToString(
                        "{cublas=" + java.util.Map.of("version", "12.6.4.1", "path", "/opt/libcublas.so.12") + "}");
        assertThat((List<?>) report.json().get("gpu")).hasSize(2);
    }

    @Test
    void ncclIsNamedWithItsPathUnlessAnotherWayIsAskedFor() {
        CudaInfo info = new CudaInfo(
                true,
                List.of(
                        new CudaInfo.Gpu(0, "A", "9.0", 1L << 30, List.of()),
                        new CudaInfo.Gpu(1, "A", "9.0", 1L << 30, List.of())),
                "12.6",
                List.of(new CudaInfo.Library(CudaPart.NCCL, "2.27.5", Path.of("/opt/libnccl.so.2"))),
                List.of(),
                List.of());
        assertThat(GpuReport.of(info).lines())
                .endsWith("             gradients would be summed through NCCL; found: NCCL 2.27.5, /opt/libnccl.so.2");
        System.setProperty("tenon.cuda.collectives", "host");
        try {
            assertThat(GpuReport.of(info).json()).containsEntry("gpu_collectives", "host memory");
        } finally {
            System.clearProperty("tenon.cuda.collectives");
        }
    }

    @Test
    void aMachineWithoutGpuLacksNothing() {
        GpuReport report = GpuReport.of(
                new CudaInfo(false, List.of(), "", List.of(), List.of("cuda: no NVIDIA GPU was found"), List.of()));
        assertThat(report.usable()).isFalse();
        assertThat(report.advice()).isEmpty();
        assertThat(report.lines()).containsExactly("gpu          none by NVIDIA");
        assertThat(report.json()).containsOnlyKeys("gpu");
    }

    @Test
    void aGpuThatCannotBeUsedSaysWhy() {
        GpuReport report = GpuReport.of(
                new CudaInfo(true, List.of(), "", List.of(), List.of("cuda: install the driver"), List.of()));
        assertThat(report.usable()).isFalse();
        assertThat(report.lines()).containsExactly("gpu          by NVIDIA, but its driver does not see it");
        assertThat(report.advice()).containsExactly("--device cuda cannot be used: cuda: install the driver");
    }
}
