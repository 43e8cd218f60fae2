package tenon.apps.training;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tenon.apps.Cli;

class SummaryCommandTest {
    @Test
    void smallVggHasTheTutorialsParameters() {
        Cli.Result result = Cli.run("summary", "smallvgg", "--input", "64x64x3", "--classes", 3, "--json");
        assertThat(result.exitCode()).isZero();
        assertThat(result.out()).contains("4,625,923").contains("trainable 4,623,811, not trainable 2,112");
        assertThat(result.json().get("parameters").asLong()).isEqualTo(4_623_811);
        assertThat(result.json().get("statistics").asLong()).isEqualTo(2_112);
        assertThat(result.json().get("total").asLong()).isEqualTo(4_625_923);
        assertThat(result.json().get("multiplyAdds").asLong()).isEqualTo(158_729_728);
    }

    /** Weights, biases, slopes, gammas and betas, frozen ones included, of the original experiments. */
    @ParameterizedTest
    @CsvSource({
        "alexnet, 62397480, 62387912",
        "vgg16, 138394792, 138382376",
        "googlenet, 7013112, 7005832",
        "resnet18, 11691950, 11691947",
        "resnet34, 21800110, 21800107",
        "resnet50, 25549486, 25549483",
        "resnet101, 44541614, 44541611",
        "resnet152, 60185262, 60185259",
        "squeezenet, 1248424, 1248424",
        "mobilenet-v1, 4231976, 4231976",
        "mobilenet-v2, 3504872, 3504872",
    })
    void networksOfAThousandClasses(String network, long parameters, long trainable) {
        JsonNode json = Cli.run("summary", network, "--classes", 1000, "--json").json();
        assertThat(json.get("parameters").asLong()).isEqualTo(parameters);
        assertThat(json.get("trainable").asLong()).isEqualTo(trainable);
    }

    /** On the original experiments' pictures; all parameters are trained, the running averages of batch norm are not. */
    @ParameterizedTest
    @CsvSource({
        "cifar10-cnn, 10, 9312202, 0",
        "alexnet-dogs-cats, 2, 58308674, 19136",
        "smallvgg, 3, 4623811, 2112",
        "dense3, 3, 3673091, 0",
        "mnist, 10, 636010, 0",
        "minivgg, 10, 2169770, 1408",
    })
    void smallerNetworks(String network, int classes, long trainable, long averages) {
        JsonNode json =
                Cli.run("summary", network, "--classes", classes, "--json").json();
        assertThat(json.get("parameters").asLong()).isEqualTo(trainable);
        assertThat(json.get("trainable").asLong()).isEqualTo(trainable);
        assertThat(json.get("nonTrainable").asLong()).isEqualTo(averages);
        assertThat(json.get("total").asLong()).isEqualTo(trainable + averages);
    }

    @ParameterizedTest
    @CsvSource({
        "alexnet --activation relu --batch-norm before-activation, 62397480",
        "alexnet --activation prelu --batch-norm none, 62387912",
        "vgg16 --activation elu:1, 138382376",
        "vgg16 --activation relu --batch-norm none, 138357544",
        "resnet50 --residuals post-activation, 25557038",
        "resnet50 --residuals torchvision --norm-epsilon 1e-5, 25557032",
        "resnet50 --residuals keras, 25583592",
        "squeezenet --activation relu --batch-norm after-activation, 1256376",
        "squeezenet --global-average --input 67x67x3, 1248424",
        "mobilenet-v1 --width-multiplier 0.5 --input 128x128x3, 1331592",
        "mobilenet-v2 --symmetric-padding, 3504872",
        "mobilenet-v1 --small-stem --input 16x16x3, 4231976",
        "resnet18 --small-stem --residuals torchvision --input 8x8x3, 11681832",
    })
    void variants(String options, long parameters) {
        Object[] words = ("summary " + options + " --classes 1000 --json").split(" ");
        assertThat(Cli.run(words).json().get("parameters").asLong()).isEqualTo(parameters);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "googlenet --activation relu|network googlenet has no such activation to choose: relu",
                "squeezenet --activation prelu|network squeezenet has no such activation to choose: prelu:0.25",
                "squeezenet --batch-norm before-activation|network squeezenet has no such position of batch norm to"
                        + " choose: before-activation",
                "alexnet --residuals keras|network alexnet has no such residual design to choose: keras",
                "resnet50 --global-average|network resnet50 has no such kind of last average to choose: true",
                "vgg16 --small-stem|network vgg16 has no such small stem to choose: true",
                "resnet18 --small-stem --input 7x8x3|network resnet18 needs pictures of at least 8x8: given 7x8",
                "vgg16 --symmetric-padding|network vgg16 has no such kind of padding to choose: true",
                "mnist --norm-epsilon 0.1|network mnist has no such epsilon of batch norm to choose: 0.1",
                "cifar10-cnn --width-multiplier 0.5|network cifar10-cnn: the width multiplier must be 1, it has one"
                        + " width only: 0.5",
            })
    void impossibleVariantsAreUsageErrors(String options, String message) {
        Cli.Result result = Cli.run((Object[]) ("summary " + options).split(" "));
        assertThat(result.exitCode()).isEqualTo(2);
        assertThat(result.errLines().getFirst()).isEqualTo("tenon summary: " + message);
    }

    @Test
    void activationsAreExplained() {
        Cli.Result name = Cli.run("summary", "alexnet", "--activation", "swish");
        assertThat(name.exitCode()).isEqualTo(2);
        assertThat(name.err()).contains("'swish' must be one of relu, relu6, leaky-relu, elu, prelu, sigmoid, tanh");
        assertThat(Cli.run("summary", "alexnet", "--activation", "elu:x").err())
                .contains("'elu:x' must end in a number, e.g. elu:0.25");
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
