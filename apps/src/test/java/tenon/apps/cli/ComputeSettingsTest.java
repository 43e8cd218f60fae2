package tenon.apps.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.lang.reflect.Proxy;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;
import tenon.engine.DType;
import tenon.engine.Precision;
import tenon.engine.backend.Backend;

class ComputeSettingsTest {
    private static final ComputeSettings BF16 = new ComputeSettings("cpu", 1, Precision.BF16, false, true, 42, false);

    private final StringWriter err = new StringWriter();
    private final Console console = new Console(new PrintWriter(new StringWriter()), new PrintWriter(err), false);

    @Test
    void withoutBf16ItGoesOnInFp32AndSaysSo() {
        assertThat(BF16.precision(backend(DType.F32), console)).isEqualTo(Precision.FP32);
        assertThat(err.toString()).contains("old machine").contains("computing in fp32");
    }

    @Test
    void withBf16ItSaysNothing() {
        assertThat(BF16.precision(backend(DType.BF16), console)).isEqualTo(Precision.BF16);
        assertThat(err.toString()).isEmpty();
    }

    @Test
    void devicesAndThreadsAreChecked() {
        assertThatThrownBy(() -> new ComputeSettings("tpu", 1, Precision.FP32, false, true, 1, false))
                .isInstanceOf(UsageException.class)
                .hasMessage("--device must be cpu, cuda, cuda:N or reference: tpu");
        assertThatThrownBy(() -> new ComputeSettings("cpu", 0, Precision.FP32, false, true, 1, false))
                .isInstanceOf(UsageException.class)
                .hasMessage("--threads must be at least 1: 0");
    }

    @Test
    void devicesHaveShortNames() {
        assertThat(new ComputeSettings("CUDA", 1, Precision.FP32, true, true, 1, false).device())
                .isEqualTo("cuda:0");
        assertThat(new ComputeSettings("cuda:03", 1, Precision.FP32, null, true, 1, false).device())
                .isEqualTo("cuda:3");
        assertThat(new ComputeSettings("cuda:3", 1, Precision.FP32, null, true, 1, false).device())
                .isEqualTo("cuda:3");
        assertThatThrownBy(() -> new ComputeSettings("cuda:x", 1, Precision.FP32, false, true, 1, false))
                .isInstanceOf(UsageException.class)
                .hasMessage("--device must be cpu, cuda, cuda:N or reference: cuda:x");
        assertThatThrownBy(() -> new ComputeSettings("cpu", 1, Precision.FP32, true, true, 1, false))
                .isInstanceOf(UsageException.class)
                .hasMessageContaining("--tf32 needs a GPU");
    }

    @Test
    void severalDevicesAreDifferentGpus() {
        ComputeSettings two = new ComputeSettings("cuda,CUDA:2", 1, Precision.FP32, true, true, 1, false);
        assertThat(two.device()).isEqualTo("cuda:0,cuda:2");
        assertThat(two.devices()).containsExactly("cuda:0", "cuda:2");
        assertThat(two.withDevice("cuda:1,cuda:0"))
                .isEqualTo(new ComputeSettings("cuda:1,cuda:0", 1, Precision.FP32, true, true, 1, false));
        assertThat(BF16.devices()).containsExactly("cpu");
        assertThatThrownBy(two::requireOneDevice)
                .isInstanceOf(UsageException.class)
                .hasMessage("--device: several devices are for training: cuda:0,cuda:2");
        for (String wrong : new String[] {"cpu,cuda:1", "cuda:0,", "cpu,cpu"}) {
            assertThatThrownBy(() -> new ComputeSettings(wrong, 1, Precision.FP32, false, true, 1, false))
                    .isInstanceOf(UsageException.class)
                    .hasMessage("--device: several devices must be GPUs, as in cuda:0,cuda:1: " + wrong);
        }
        for (String twice : new String[] {"cuda:0,cuda", "cuda:0,cuda:00", "cuda:1,cuda:001"}) {
            assertThatThrownBy(() -> new ComputeSettings(twice, 1, Precision.FP32, false, true, 1, false))
                    .isInstanceOf(UsageException.class)
                    .hasMessage("--device: several devices must be different GPUs: " + twice);
        }
    }

    @Test
    void anotherDeviceKeepsWhatItCan() {
        ComputeSettings gpu = new ComputeSettings("cuda:1", 2, Precision.BF16, true, true, 7, true);
        assertThat(gpu.withDevice("cpu"))
                .isEqualTo(new ComputeSettings("cpu", 2, Precision.BF16, false, true, 7, true));
        assertThat(gpu.withDevice("cuda"))
                .isEqualTo(new ComputeSettings("cuda:0", 2, Precision.BF16, true, true, 7, true));
    }

    @Test
    void equalBitsAreTheDefaultAndOldRunsHadThem() {
        assertThat(new ComputeSettings("cuda", 1, Precision.FP32, false, null, 1, false).deterministic())
                .isTrue();
        assertThat(options("--device", "cpu").deterministic()).isTrue();
        assertThat(options("--deterministic").deterministic()).isTrue();
        assertThat(options("--no-deterministic").deterministic()).isFalse();
        assertThat(options("--no-deterministic").withDevice("cuda:1").deterministic())
                .isFalse();
    }

    @Test
    void optionsWinOverSystemProperties() {
        System.setProperty("tenon.cuda.deterministic", "false");
        try {
            assertThat(options().deterministic()).isFalse();
            assertThat(options("--deterministic").deterministic()).isTrue();
        } finally {
            System.clearProperty("tenon.cuda.deterministic");
        }
    }

    private static ComputeSettings options(String... arguments) {
        return CommandLine.populateCommand(new ComputeOptions(), arguments).settings();
    }

    /** A back-end named {@code old machine} with kernels for one dtype. */
    private static Backend backend(DType dtype) {
        return (Backend) Proxy.newProxyInstance(
                Backend.class.getClassLoader(),
                new Class<?>[] {Backend.class},
                (_, method, arguments) -> method.getName().equals("supports") ? dtype == arguments[1] : "old machine");
    }
}
