package tenon.engine.nativelib;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tenon.engine.DeviceException;
import tenon.engine.testing.CudaTesting;
import tenon.simulator.SimulatedDevice;
import tenon.simulator.Simulator;

class CudaInfoTest {
    /** As if the machine had only what a folder holds, and the simulated driver. */
    private static CudaSearch only(Path folder) {
        return new CudaSearch(
                Path.of("/"), name -> name.equals(CudaSearch.PROPERTY) ? folder.toString() : null, _ -> null, () -> "");
    }

    private static CudaInfo simulated(Consumer<Simulator> setting) {
        Simulator simulator = CudaTesting.simulator();
        simulator.reset();
        setting.accept(simulator);
        return read(simulator, SimulatedDevice.folder());
    }

    private static CudaInfo read(Simulator simulator, Path folder) {
        try {
            return CudaInfo.read(only(folder));
        } finally {
            simulator.reset();
        }
    }

    @Test
    void listsDevicesAndLibraries() {
        CudaInfo info = simulated(simulator -> {
            simulator.devices(2);
            simulator.memoryLimit(1, 1L << 30);
            simulator.computeCapability(86);
        });
        assertThat(info.problems()).isEmpty();
        assertThat(info.present()).isTrue();
        assertThat(info.driverVersion()).isEqualTo("12.6");
        assertThat(info.gpus()).hasSize(2);
        CudaInfo.Gpu second = info.gpus().getLast();
        assertThat(second.reaches()).containsExactly(0);
        assertThat(second.index()).isOne();
        assertThat(second.name()).isNotBlank();
        assertThat(second.computeCapability()).isEqualTo("8.6");
        assertThat(second.memoryBytes()).isEqualTo(1L << 30);
        assertThat(info.libraries())
                .extracting(CudaInfo.Library::part)
                .contains(CudaPart.DRIVER, CudaPart.CUBLAS, CudaPart.NVRTC, CudaPart.CUDNN, CudaPart.NCCL);
        assertThat(info.advice()).isEmpty();
    }

    @Test
    void severalGpusWantNccl() {
        Simulator simulator = CudaTesting.simulator();
        simulator.reset();
        simulator.devices(2);
        CudaInfo info = read(simulator, SimulatedDevice.without("libnccl"));
        assertThat(info.problems()).isEmpty();
        assertThat(info.advice()).singleElement().asString().startsWith("NCCL, with which several GPUs train");
    }

    @Test
    void librariesSayTheirVersions() {
        CudaTesting.simulator().reset();
        assertThat(CudaInfo.read().libraries())
                .filteredOn(library -> library.part() == CudaPart.NVRTC || library.part() == CudaPart.CUDNN)
                .extracting(CudaInfo.Library::version)
                .allMatch(version -> version.matches("\\d+\\.\\d+(\\.\\d+)?"));
    }

    @Test
    void noDevice() {
        CudaInfo info = simulated(simulator -> simulator.devices(0));
        assertThat(info.gpus()).isEmpty();
        assertThat(info.problems())
                .singleElement()
                .asString()
                .startsWith("cuda: cuInit: CUDA_ERROR_NO_DEVICE (the driver sees no GPU; is CUDA_VISIBLE_DEVICES");
    }

    @Test
    void driverTooOld() {
        CudaInfo info = simulated(simulator -> simulator.driverVersion(11040));
        assertThat(info.gpus()).as("shown all the same").hasSize(1);
        assertThat(info.problems()).singleElement().asString().contains("it runs CUDA 11.4 (update it: ");
    }

    @Test
    void driverThatDoesNotStart() {
        CudaInfo info = simulated(simulator -> simulator.failAt("cuInit", 1, 803));
        assertThat(info.problems()).singleElement().asString().contains("restart the machine");
    }

    @Test
    void librariesThatAreMissing() {
        CudaTesting.simulator();
        CudaInfo info = CudaInfo.read(only(SimulatedDevice.without("libcudnn")));
        assertThat(info.problems())
                .singleElement()
                .asString()
                .startsWith("cuda: cuDNN (libcudnn.so.9) not found: apt-get install libcudnn9-cuda-12");
    }

    @Test
    void librariesThatAreTooNewForTheDriver() {
        CudaTesting.simulator();
        CudaInfo info = CudaInfo.read(only(SimulatedDevice.cuda13()));
        assertThat(info.problems())
                .singleElement()
                .asString()
                .startsWith("cuda: cuBLAS (libcublas.so.12) not found: apt-get install libcublas-12-6")
                .contains("NVRTC (libnvrtc.so.12) not found");
    }

    @Test
    void aMachineWithoutDriver(@TempDir Path root) {
        CudaSearch nothing = new CudaSearch(root, _ -> null, _ -> null, () -> "");
        assertThat(CudaLibraries.noDriver(nothing))
                .isEqualTo("cuda: no NVIDIA GPU, and no driver (libcuda.so.1), was found (use --device cpu; where there"
                        + " should be one: apt-get install nvidia-driver-580, or in a container: start it with --gpus"
                        + " all and the nvidia-container-toolkit on the host)");
    }

    @Test
    void aGpuWithoutDriver(@TempDir Path root) throws Exception {
        Path device = Files.createDirectories(root.resolve("sys/bus/pci/devices/0000:01:00.0"));
        Files.writeString(device.resolve("vendor"), "0x10de\n");
        Files.writeString(device.resolve("class"), "0x030000\n");
        assertThat(CudaLibraries.noDriver(new CudaSearch(root, _ -> null, _ -> null, () -> "")))
                .startsWith("cuda: the machine has an NVIDIA GPU, but libcuda.so.1, the driver's library, was not"
                        + " found (looked in ")
                .contains("): apt-get install nvidia-driver-580");
    }

    @Test
    void aDriverThatIsTooOldIsRefused() {
        assertThatThrownBy(() -> CudaLibraries.checkDriver(11040))
                .isInstanceOf(DeviceException.class)
                .hasMessage("cuda: the driver must run CUDA 12 or newer: it runs CUDA 11.4 (update it: apt-get install"
                        + " nvidia-driver-580, or in a container: start it with --gpus all and the"
                        + " nvidia-container-toolkit on the host)");
        CudaLibraries.checkDriver(12000);
    }

    @Test
    void writesReleasesAsPeopleDo() {
        assertThat(CudaDriver.text(12060)).isEqualTo("12.6");
        assertThat(CudaDriver.text(13000)).isEqualTo("13.0");
    }

    @ParameterizedTest
    @CsvSource({
        "100, CUDA_ERROR_NO_DEVICE, CUDA_VISIBLE_DEVICES",
        "803, CUDA_ERROR_SYSTEM_DRIVER_MISMATCH, restart the machine",
        "34, CUDA_ERROR_STUB_LIBRARY, install a driver",
        "209, CUDA_ERROR_NO_BINARY_FOR_GPU, install a newer",
        "999, CUDA_ERROR_UNKNOWN, nvidia_uvm",
    })
    void statusesSayWhatToDo(int status, String name, String advice) {
        assertThat(CudaStatus.describe(status)).startsWith(name + " (").contains(advice);
        assertThat(CudaStatus.describe(name)).isEqualTo(CudaStatus.describe(status));
    }

    @Test
    void unknownStatusesKeepTheirNumber() {
        assertThat(CudaStatus.describe(4711)).isEqualTo("status 4711");
    }

    @Test
    void aFileThatIsNoLibraryIsNamed(@TempDir Path folder) throws Exception {
        Path file = Files.writeString(folder.resolve("libcublas.so.12"), "not a library");
        assertThatThrownBy(() -> NativeLibrary.load(file))
                .isInstanceOf(UnsatisfiedLinkError.class)
                .hasMessageContaining(file.toString());
    }
}
