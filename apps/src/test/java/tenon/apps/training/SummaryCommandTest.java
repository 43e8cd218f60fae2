package tenon.apps.training;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import tenon.apps.Cli;

class SummaryCommandTest {
    @Test
    void smallVggHasTheTutorialsParameters() {
        Cli.Result result = Cli.run("summary", "smallvgg", "--input", "64x64x3", "--classes", 3, "--json");
        assertThat(result.exitCode()).isZero();
        assertThat(result.out()).contains("4,625,923").contains("trainable 4,623,811, not trainable 2,112");
        assertThat(result.json().get("parameters").asLong()).isEqualTo(4_625_923);
        assertThat(result.json().get("multiplyAdds").asLong()).isEqualTo(158_729_728);
    }

    @Test
    void denseNets() {
        assertThat(Cli.run("summary", "dense3", "--input", "32x32x3", "--classes", 3, "--json")
                        .json()
                        .get("parameters")
                        .asLong())
                .isEqualTo(3_673_091);
        assertThat(Cli.run("summary", "mnist", "--input", "28x28x1", "--json")
                        .json()
                        .get("parameters")
                        .asLong())
                .isEqualTo(636_010);
    }

    @Test
    void badSizesAreUsageErrors() {
        assertThat(Cli.run("summary", "smallvgg", "--input", "7x64x3")
                        .errLines()
                        .getFirst())
                .isEqualTo("tenon summary: network smallvgg needs pictures of at least 8x8: given 7x64");
        Cli.Result form = Cli.run("summary", "smallvgg", "--input", "64");
        assertThat(form.exitCode()).isEqualTo(2);
        assertThat(form.err()).contains("'64' is not HEIGHTxWIDTHxCHANNELS");
        Cli.Result network = Cli.run("summary", "vgg");
        assertThat(network.exitCode()).isEqualTo(2);
        assertThat(network.err()).contains("minivgg, smallvgg, dense3, mnist");
    }
}
