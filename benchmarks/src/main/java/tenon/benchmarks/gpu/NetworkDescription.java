package tenon.benchmarks.gpu;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import tenon.engine.ops.Activation;
import tenon.engine.ops.BatchNormSpec;
import tenon.engine.ops.ConvSpec;
import tenon.engine.ops.Padding;
import tenon.engine.ops.PoolSpec;
import tenon.layers.ActivationLayer;
import tenon.layers.AvgPool2d;
import tenon.layers.BatchNorm;
import tenon.layers.Concat;
import tenon.layers.Conv2d;
import tenon.layers.Dense;
import tenon.layers.Dropout;
import tenon.layers.Flatten;
import tenon.layers.GlobalAvgPool2d;
import tenon.layers.MaxPool2d;
import tenon.layers.Module;
import tenon.layers.PRelu;
import tenon.layers.Residual;
import tenon.layers.Sequential;
import tenon.layers.blocks.Fire;
import tenon.layers.blocks.Inception;
import tenon.layers.blocks.PostActivationUnit;
import tenon.layers.blocks.PreActivationUnit;

/** A network's layers as a tree of maps, from which a peer in another language builds the same network; weights are not in it. */
final class NetworkDescription {
    private NetworkDescription() {}

    static Map<String, Object> of(Module module) {
        Map<String, Module> children = module.children();
        return switch (module) {
            case Sequential _ -> chain(children.values().stream());
            case Concat _ -> concat(children.values().stream().map(NetworkDescription::of));
            case Residual residual ->
                node("add")
                        .with("main", of(children.get("main")))
                        .with("shortcut", optional(children.get("shortcut")))
                        .with("activation", activation(residual.activation()));
            case Inception _ ->
                concat(Stream.of(
                        of(children.get("conv1x1")),
                        chain(Stream.of(children.get("reduce3x3"), children.get("conv3x3"))),
                        chain(Stream.of(children.get("reduce5x5"), children.get("conv5x5"))),
                        chain(Stream.of(children.get("pool"), children.get("projection")))));
            case Fire _ ->
                node("chain")
                        .with(
                                "layers",
                                List.of(
                                        of(children.get("squeeze")),
                                        concat(Stream.of(children.get("expand1x1"), children.get("expand3x3"))
                                                .map(NetworkDescription::of))));
            case PreActivationUnit _ -> preActivation(children);
            case PostActivationUnit _ -> postActivation(children);
            case Conv2d conv -> conv(conv);
            case Dense dense ->
                node("linear")
                        .with("in", dense.weight().value().shape().dim(1))
                        .with("out", dense.weight().value().shape().dim(0))
                        .with("bias", dense.bias() != null)
                        .with("activation", activation(dense.activation()));
            case BatchNorm norm -> norm(norm);
            case ActivationLayer layer -> activation(layer.activation());
            case PRelu prelu ->
                node("prelu").with("channels", prelu.slope().value().shape().elementCount());
            case MaxPool2d pool -> pool("max_pool", pool.spec());
            case AvgPool2d pool -> pool("avg_pool", pool.spec());
            case GlobalAvgPool2d _ -> node("global_avg_pool");
            case Dropout dropout -> node("dropout").with("rate", dropout.rate());
            case Flatten _ -> node("flatten");
            default ->
                throw new IllegalArgumentException(
                        "bench gpu: no description of layer '" + module.path() + "' of type " + module.type());
        };
    }

    /** A map that is built entry by entry. */
    private static final class Node extends LinkedHashMap<String, Object> {
        private static final long serialVersionUID = 1L;

        Node with(String name, Object value) {
            put(name, value);
            return this;
        }
    }

    private static Node node(String op) {
        Node node = new Node();
        node.put("op", op);
        return node;
    }

    private static Node chain(Stream<Module> layers) {
        return node("chain").with("layers", layers.map(NetworkDescription::of).toList());
    }

    private static Node concat(Stream<Map<String, Object>> branches) {
        return node("concat").with("branches", branches.toList());
    }

    private static Object optional(Module module) {
        return module == null ? null : of(module);
    }

    private static Node preActivation(Map<String, Module> children) {
        List<Module> main = new ArrayList<>(List.of(children.get("conv1")));
        for (int i = 2; children.containsKey("conv" + i); i++) {
            main.add(children.get("bn" + i));
            main.add(children.get("conv" + i));
        }
        // The projection reads the activated input, the identity the plain one.
        return node("pre_activation")
                .with("first", of(children.get("bn1")))
                .with("main", chain(main.stream()))
                .with("shortcut", optional(children.get("projection")));
    }

    private static Node postActivation(Map<String, Module> children) {
        List<Module> main = new ArrayList<>();
        for (int i = 1; children.containsKey("conv" + i); i++) {
            main.add(children.get("conv" + i));
            main.add(children.get("bn" + i));
        }
        return node("add")
                .with("main", chain(main.stream()))
                .with("shortcut", optional(children.get("projection")))
                .with("activation", activation(Activation.RELU));
    }

    private static Node conv(Conv2d conv) {
        ConvSpec spec = conv.spec();
        var shape = conv.weight().value().shape();
        return node("conv")
                .with("in", shape.dim(3) * spec.groups())
                .with("out", shape.dim(0))
                .with("kernel", List.of(shape.dim(1), shape.dim(2)))
                .with("stride", List.of(spec.strideH(), spec.strideW()))
                .with("padding", padding(spec.padding()))
                .with("dilation", List.of(spec.dilationH(), spec.dilationW()))
                .with("groups", spec.groups())
                .with("bias", conv.bias() != null)
                .with("activation", activation(conv.activation()));
    }

    private static Node norm(BatchNorm norm) {
        BatchNormSpec spec = norm.spec();
        return node("batch_norm")
                .with("channels", norm.runningMean().value().shape().elementCount())
                .with("epsilon", spec.epsilon())
                .with("momentum", spec.momentum())
                .with("scale", norm.gamma() != null)
                .with("shift", norm.beta() != null)
                .with("activation", activation(spec.activation()));
    }

    private static Node pool(String op, PoolSpec spec) {
        return node(op).with("kernel", List.of(spec.kernelH(), spec.kernelW()))
                .with("stride", List.of(spec.strideH(), spec.strideW()))
                .with("padding", padding(spec.padding()))
                .with("ceil", spec.ceilMode())
                .with("count_padding", spec.countPadding());
    }

    /** Top, bottom, left, right. */
    private static List<Integer> padding(Padding padding) {
        return List.of(padding.top(), padding.bottom(), padding.left(), padding.right());
    }

    private static Node activation(Activation activation) {
        return node("activation")
                .with("kind", activation.kind().name().toLowerCase(java.util.Locale.ROOT))
                .with("alpha", activation.alpha());
    }
}
