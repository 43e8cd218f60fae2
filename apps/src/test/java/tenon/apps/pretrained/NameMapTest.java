package tenon.apps.pretrained;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import tenon.apps.training.NetworkSpec;

/** Every map names every tensor of its networks, once; and some by the names that the frameworks' files are known to have. */
class NameMapTest {
    static Stream<Arguments> mapsWithNetworks() {
        return NameMap.all().stream()
                .flatMap(map -> Arrays.stream(NetworkSpec.Kind.values())
                        .filter(kind -> map.isFor(kind.toString()))
                        .map(kind -> Arguments.of(map.toString(), kind)));
    }

    @ParameterizedTest(name = "{0} {1}")
    @MethodSource("mapsWithNetworks")
    void namesEveryTensorOnce(String file, NetworkSpec.Kind kind) {
        Map<String, Slot> named = names(file, kind);
        assertThat(named.values())
                .containsExactlyInAnyOrderElementsOf(layers(map(file), kind).slots());
    }

    @Test
    void allNetworksThatMapsNameExist() {
        List<String> kinds = Stream.concat(
                        Stream.of("*"), Arrays.stream(NetworkSpec.Kind.values()).map(Object::toString))
                .toList();
        assertThat(NameMap.all()).allSatisfy(map -> assertThat(kinds).containsAll(map.networks()));
    }

    private static NameMap map(String file) {
        return NameMap.all().stream()
                .filter(map -> map.toString().equals(file))
                .findFirst()
                .orElseThrow();
    }

    private static NetworkLayers layers(NameMap map, NetworkSpec.Kind kind) {
        NetworkSpec spec = NetworkSpec.of(kind, 1000, MapSettings.of(map).variant());
        return NetworkLayers.of(spec::build, spec.input(1));
    }

    /** Tensors by the names that their arrays have. */
    private static Map<String, Slot> names(String file, NetworkSpec.Kind kind) {
        NameMap map = map(file);
        NetworkLayers layers = layers(map, kind);
        // As many numbered layers as any network can have.
        List<String> arrays = Stream.of("convolution", "fullyconnected", "batchnorm", "leakyrelu")
                .flatMap(name ->
                        Stream.iterate(0, i -> i < 400, i -> i + 1).flatMap(i -> Stream.of(name + i + "_weight")))
                .toList();
        List<String> keras = Stream.of("conv2d", "depthwise_conv2d", "dense", "batch_normalization", "p_re_lu")
                .flatMap(name ->
                        Stream.iterate(0, i -> i < 400, i -> i + 1).map(i -> name + (i == 0 ? "" : "_" + i) + "/bias"))
                .toList();
        Map<String, String> names = map.layers(
                layers.layers(), Stream.concat(arrays.stream(), keras.stream()).toList());
        Map<String, Slot> named = new HashMap<>();
        for (NetworkLayers.Layer layer : layers.layers()) {
            assertThat(names).as("layer %s", layer.path()).containsKey(layer.path());
            for (Slot slot : layer.slots()) {
                String name = names.get(layer.path()) + map.convention().suffix(slot);
                assertThat(named.put(name, slot)).as(name).isNull();
            }
        }
        return named;
    }

    @ParameterizedTest
    @CsvSource({
        "resnet-torchvision.map, RESNET50, 25557032, layer3.5.conv2.weight, 'stage3.unit6.conv2.weight', '[256, 256,"
                + " 3, 3]'",
        "resnet-torchvision.map, RESNET50, 25557032, layer1.0.downsample.1.running_var,"
                + " 'stage1.unit1.projection.bn.runningVariance', '[256]'",
        "resnet-torchvision.map, RESNET18, 11689512, layer4.1.bn2.bias, 'stage4.unit2.bn2.beta', '[512]'",
        "resnet-torchvision.map, RESNET34, 21797672, fc.weight, 'fc1.weight', '[1000, 512]'",
        "resnet-torchvision.map, RESNET101, 44549160, layer3.22.conv1.weight, 'stage3.unit23.conv1.weight',"
                + " '[256, 1024, 1, 1]'",
        "resnet-torchvision.map, RESNET152, 60192808, conv1.weight, 'conv1_1.weight', '[64, 3, 7, 7]'",
        "vgg16-torchvision.map, VGG16, 138357544, classifier.0.weight, 'fc1.weight', '[4096, 25088]'",
        "vgg16-torchvision.map, VGG16, 138357544, features.28.bias, 'conv5_3.bias', '[512]'",
        "vgg16-timm.map, VGG16, 138357544, pre_logits.fc1.weight, 'fc1.weight', '[4096, 25088]'",
        "squeezenet-torchvision.map, SQUEEZENET, 1248424, features.12.expand3x3.weight, 'fire_9.expand3x3.weight',"
                + " '[256, 64, 3, 3]'",
        "mobilenet-v2-torchvision.map, MOBILENET_V2, 3504872, features.1.conv.1.weight, 'block1.project.conv.weight',"
                + " '[16, 32, 1, 1]'",
        "mobilenet-v2-torchvision.map, MOBILENET_V2, 3504872, features.17.conv.3.running_mean,"
                + " 'block17.project.bn.runningMean', '[320]'",
        "mobilenet-v2-timm.map, MOBILENET_V2, 3504872, blocks.6.0.conv_pwl.weight, 'block17.project.conv.weight',"
                + " '[320, 960, 1, 1]'",
        "mobilenet-v2-timm.map, MOBILENET_V2, 3504872, blocks.0.0.conv_dw.weight, 'block1.depthwise.conv.weight',"
                + " '[32, 1, 3, 3]'",
        "mobilenet-v1-timm.map, MOBILENET_V1, 4231976, blocks.3.5.conv_pw.weight, 'block11.pointwise.conv.weight',"
                + " '[512, 512, 1, 1]'",
        "mobilenet-v1-keras.map, MOBILENET_V1, 4231976, conv_dw_13/depthwise_kernel, 'block13.depthwise.conv.weight',"
                + " '[3, 3, 1024, 1]'",
        "mobilenet-v2-keras.map, MOBILENET_V2, 3504872, block_16_project_BN/moving_variance,"
                + " 'block17.project.bn.runningVariance', '[320]'",
        "vgg16-keras.map, VGG16, 138357544, block5_conv3/kernel, 'conv5_3.weight', '[3, 3, 512, 512]'",
        "resnet-keras.map, RESNET50, 25583592, conv5_block1_0_conv/bias, 'stage4.unit1.projection.conv.bias', '[2048]'",
        "resnet-mxnet.map, RESNET50, 25549483, stage1_unit1_sc_weight, 'stage1.unit1.projection.weight',"
                + " '[256, 64, 1, 1]'",
        "vgg16-mxnet.map, VGG16, 138357544, fc6_weight, 'fc1.weight', '[4096, 25088]'",
        "vgg16-original.map, VGG16, 138382376, act6_1_gamma, 'act6_1.slope', '[4096]'"
    })
    void knowsTheFilesOfOthers(
            String file, NetworkSpec.Kind kind, long trained, String array, String tensor, String shape) {
        Map<String, Slot> named = names(file, kind);
        assertThat(named).containsKey(array);
        assertThat(named.get(array).name()).isEqualTo(tensor);
        assertThat(new ElementOrder(named.get(array), map(file).convention()).shape())
                .hasToString(shape);
        assertThat(named.values().stream()
                        .filter(slot -> slot.role() != Role.MEAN && slot.role() != Role.VARIANCE)
                        .mapToLong(Slot::elementCount)
                        .sum())
                .isEqualTo(trained);
    }

    @Test
    void numberedLayersAreCountedFromWhereTheFileBegins() {
        NameMap map = map("keras-numbered.map");
        NetworkLayers layers = layers(map, NetworkSpec.Kind.MNIST);
        assertThat(map.layers(layers.layers(), List.of("dense/kernel", "dense_1/kernel", "dense_1/bias"))
                        .values())
                .containsExactly("dense", "dense_1");
        assertThat(map.layers(layers.layers(), List.of("dense_10/kernel", "dense_9/kernel"))
                        .values())
                .containsExactly("dense_9", "dense_10");
        assertThat(map.layers(layers.layers(), List.of("dense_9/kernel"))).hasSize(1);
    }

    @Test
    void alternativesAreTakenAsTheyAre() {
        NameMap map = map("mobilenet-v2-keras.map");
        NetworkLayers layers = layers(map, NetworkSpec.Kind.MOBILENET_V2);
        assertThat(map.layers(layers.layers(), List.of())).containsEntry("fc", "Logits");
        assertThat(map.layers(layers.layers(), List.of("predictions/kernel"))).containsEntry("fc", "predictions");
    }

    @Test
    void damagedMapsAreErrors() {
        assertBad("names: a", "must say names, networks and convention");
        assertBad("conv1 conv2", "line 1 is neither 'setting: value' nor 'layer -> layer': conv1 conv2");
        assertBad("a{b-1} -> c", "line 1 may only shift a number on the right");
        NameMap unknown =
                NameMap.parse("x.map", List.of("names: a", "networks: *", "convention: torch", "colour: red"));
        assertThatThrownBy(() -> MapSettings.of(unknown)).hasMessageContaining("unknown=[colour]");
    }

    private static void assertBad(String line, String message) {
        assertThatThrownBy(() -> NameMap.parse("x.map", List.of(line)))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("name map x.map: " + message);
    }
}
