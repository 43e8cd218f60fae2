package tenon.engine.nativelib;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tenon.engine.DeviceException;

class CudaInfoTest {
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
