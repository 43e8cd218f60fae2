package tenon.benchmarks.libtorch;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.LongOptional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.MemoryFormat;
import tenon.benchmarks.libtorch.TorchNetwork.Layer;
import tenon.benchmarks.libtorch.TorchNetwork.State;
import tenon.engine.Shape;
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
import tenon.layers.Parameter;
import tenon.layers.Residual;
import tenon.layers.Sequential;
import tenon.layers.blocks.Fire;
import tenon.layers.blocks.Inception;
import tenon.layers.blocks.InvertedResidual;
import tenon.layers.blocks.PostActivationUnit;
import tenon.layers.blocks.PreActivationUnit;

/** Writes the layers of a Tenon network down in libtorch's functions, while it follows the shape of one image through them. */
final class TorchTranslation {
    private final TorchOptions options;
    private final Map<String, State> state;
    /** [1, H, W, C] or [1, features] at the place reached. */
    private Shape shape;
    /** What was flattened and has met no dense layer yet, or null. */
    private Shape flattened;

    /** @param input [H, W, C] */
    TorchTranslation(Shape input, TorchOptions options, Map<String, State> state) {
        this.options = options;
        this.state = state;
        shape = Shape.of(1, input.dim(0), input.dim(1), input.dim(2));
    }

    Layer translate(Module module) {
        return switch (module) {
            case Sequential _ -> chain(module.children().values().toArray(Module[]::new));
            case Concat _ -> concat(module.children().values());
            case Residual residual -> residual(residual);
            case Inception _ -> inception(module);
            case Fire _ -> fire(module);
            case PreActivationUnit _ -> preActivation(module);
            case PostActivationUnit _ -> postActivation(module);
            case InvertedResidual unit -> invertedResidual(unit);
            case Conv2d conv -> conv(conv);
            case Dense dense -> dense(dense);
            case BatchNorm norm -> norm(norm);
            case ActivationLayer layer -> activation(layer.activation());
            case PRelu prelu -> prelu(prelu);
            case MaxPool2d pool -> maxPool(pool.spec());
            case AvgPool2d pool -> averagePool(pool.spec());
            case GlobalAvgPool2d _ -> globalAverage();
            case Dropout dropout -> dropout(dropout.rate());
            case Flatten _ -> flatten();
            default ->
                throw new IllegalArgumentException(
                        "libtorch: no counterpart of layer '" + module.path() + "' of type " + module.type());
        };
    }

    // ---- compositions ----

    private Layer chain(Module... modules) {
        Layer[] layers = new Layer[modules.length];
        for (int i = 0; i < modules.length; i++) {
            layers[i] = translate(modules[i]);
        }
        return (input, training) -> {
            Tensor x = input;
            for (Layer layer : layers) {
                x = layer.apply(x, training);
            }
            return x;
        };
    }

    private Layer concat(Iterable<Module> modules) {
        List<Layer> branches = new ArrayList<>();
        Shape input = shape;
        int channels = 0;
        for (Module module : modules) {
            shape = input;
            branches.add(translate(module));
            channels += shape.dim(-1);
        }
        shape = shape.withDim(-1, channels);
        return join(branches);
    }

    private static Layer join(List<Layer> branches) {
        return (x, training) -> {
            Tensor[] outputs = new Tensor[branches.size()];
            for (int i = 0; i < outputs.length; i++) {
                outputs[i] = branches.get(i).apply(x, training);
            }
            return torch.cat(new TensorVector(outputs), 1);
        };
    }

    private Layer residual(Residual residual) {
        Map<String, Module> children = residual.children();
        Shape input = shape;
        Layer main = translate(children.get("main"));
        Shape output = shape;
        shape = input;
        Layer shortcut =
                children.containsKey("shortcut") ? translate(children.get("shortcut")) : TorchTranslation::identity;
        shape = output;
        Layer activation = activation(residual.activation());
        return (x, training) -> activation.apply(main.apply(x, training).add_(shortcut.apply(x, training)), training);
    }

    private Layer inception(Module module) {
        Map<String, Module> children = module.children();
        Shape input = shape;
        List<Layer> branches = new ArrayList<>();
        branches.add(translate(children.get("conv1x1")));
        shape = input;
        branches.add(chain(children.get("reduce3x3"), children.get("conv3x3")));
        shape = input;
        branches.add(chain(children.get("reduce5x5"), children.get("conv5x5")));
        shape = input;
        branches.add(chain(children.get("pool"), children.get("projection")));
        int channels = 0;
        for (String last : List.of("conv1x1", "conv3x3", "conv5x5", "projection")) {
            channels += ((Conv2d) children.get(last).module("conv"))
                    .weight()
                    .value()
                    .shape()
                    .dim(0);
        }
        shape = input.withDim(-1, channels);
        return join(branches);
    }

    private Layer fire(Module module) {
        Map<String, Module> children = module.children();
        Layer squeeze = translate(children.get("squeeze"));
        Layer expand = concat(List.of(children.get("expand1x1"), children.get("expand3x3")));
        return (x, training) -> expand.apply(squeeze.apply(x, training), training);
    }

    private Layer preActivation(Module unit) {
        Map<String, Module> children = unit.children();
        Layer first = translate(children.get("bn1"));
        Shape activated = shape;
        List<Module> rest = new ArrayList<>(List.of(children.get("conv1")));
        for (int i = 2; children.containsKey("conv" + i); i++) {
            rest.add(children.get("bn" + i));
            rest.add(children.get("conv" + i));
        }
        Layer main = chain(rest.toArray(Module[]::new));
        Shape output = shape;
        shape = activated;
        Layer projection = children.containsKey("projection") ? translate(children.get("projection")) : null;
        shape = output;
        return (x, training) -> {
            Tensor a = first.apply(x, training);
            Tensor shortcut = projection == null ? x : projection.apply(a, training);
            return main.apply(a, training).add_(shortcut);
        };
    }

    private Layer postActivation(Module unit) {
        Map<String, Module> children = unit.children();
        Shape input = shape;
        List<Module> layers = new ArrayList<>();
        for (int i = 1; children.containsKey("conv" + i); i++) {
            layers.add(children.get("conv" + i));
            layers.add(children.get("bn" + i));
        }
        Layer main = chain(layers.toArray(Module[]::new));
        Shape output = shape;
        shape = input;
        Layer projection =
                children.containsKey("projection") ? translate(children.get("projection")) : TorchTranslation::identity;
        shape = output;
        return (x, training) -> torch.relu_(main.apply(x, training).add_(projection.apply(x, training)));
    }

    private Layer invertedResidual(InvertedResidual unit) {
        Layer main = chain(unit.children().values().toArray(Module[]::new));
        return unit.isResidual() ? (x, training) -> main.apply(x, training).add_(x) : main;
    }

    private static Tensor identity(Tensor x, boolean training) {
        return x;
    }

    // ---- layers with weights ----

    private Layer conv(Conv2d conv) {
        ConvSpec spec = conv.specFor(shape.dim(1), shape.dim(2));
        tenon.engine.Tensor filters = conv.weight().value();
        Tensor weight = learn(
                conv.weight(),
                TorchTensors.image(filters, options.type(), options.format(), filters.shape()),
                filters.shape());
        TensorOptional bias = vector(conv.bias());
        long[] stride = {spec.strideH(), spec.strideW()};
        Padding sides = spec.padding();
        boolean symmetric = isSymmetric(sides);
        long[] padding = symmetric ? new long[] {sides.top(), sides.left()} : new long[] {0, 0};
        long[] around = {sides.left(), sides.right(), sides.top(), sides.bottom()};
        Scalar zero = new Scalar(0.0);
        long[] dilation = {spec.dilationH(), spec.dilationW()};
        shape = spec.outputShape(shape, filters.shape(), null);
        Layer activation = activation(conv.activation());
        return (x, training) -> {
            Tensor padded = symmetric ? x : torch.constant_pad_nd(x, around, zero);
            return activation.apply(
                    torch.conv2d(padded, weight, bias, stride, padding, dilation, spec.groups()), training);
        };
    }

    /** Weights of a dense layer behind an image are a filter of the image's size. */
    private Layer dense(Dense dense) {
        tenon.engine.Tensor columns = dense.weight().value();
        int outputs = columns.shape().dim(0);
        Shape image = flattened == null ? Shape.of(1, 1, 1, columns.shape().dim(1)) : flattened;
        Shape filters = image.withDim(0, outputs);
        Tensor weight = learn(
                dense.weight(),
                TorchTensors.image(columns, options.type(), MemoryFormat.Contiguous, filters)
                        .view(outputs, -1),
                filters);
        TensorOptional bias = vector(dense.bias());
        flattened = null;
        shape = Shape.of(1, outputs);
        Layer activation = activation(dense.activation());
        return (x, training) -> activation.apply(torch.linear(x, weight, bias), training);
    }

    private Layer norm(BatchNorm norm) {
        BatchNormSpec spec = norm.spec();
        if (!spec.unbiasedRunningVariance()) {
            throw new IllegalArgumentException("libtorch: batch norm there keeps the unbiased running variance: layer='"
                    + norm.path() + "', norm=" + spec);
        }
        TensorOptional gamma = vector(norm.gamma());
        TensorOptional beta = vector(norm.beta());
        TensorOptional mean =
                statistic(norm.runningMean().name(), norm.runningMean().value());
        TensorOptional variance =
                statistic(norm.runningVariance().name(), norm.runningVariance().value());
        Layer activation = activation(spec.activation());
        return (x, training) -> activation.apply(
                torch.batch_norm(x, gamma, beta, mean, variance, training, spec.momentum(), spec.epsilon(), false),
                training);
    }

    private Layer prelu(PRelu prelu) {
        tenon.engine.Tensor slope = prelu.slope().value();
        Tensor slopes = learn(prelu.slope(), TorchTensors.plain(slope, options.type()), slope.shape());
        // Autocast leaves PReLU alone, which wants both in one type.
        return (x, _) -> torch.prelu(x, slopes.toType(x.scalar_type()));
    }

    private TensorOptional vector(Parameter parameter) {
        if (parameter == null) {
            return new TensorOptional();
        }
        tenon.engine.Tensor value = parameter.value();
        return new TensorOptional(learn(parameter, TorchTensors.plain(value, options.type()), value.shape()));
    }

    private TensorOptional statistic(String name, tenon.engine.Tensor value) {
        Tensor tensor = TorchTensors.plain(value, options.type());
        state.put(name, new State(tensor, value.shape(), false));
        return new TensorOptional(tensor);
    }

    private Tensor learn(Parameter parameter, Tensor tensor, Shape tenonShape) {
        tensor.requires_grad_(true);
        state.put(parameter.name(), new State(tensor, tenonShape, true));
        return tensor;
    }

    // ---- layers without weights ----

    private Layer activation(Activation activation) {
        return switch (activation.kind()) {
            case NONE -> TorchTranslation::identity;
            case RELU -> (x, _) -> torch.relu_(x);
            case RELU6 -> (x, _) -> torch.relu6(x);
            case SIGMOID -> (x, _) -> torch.sigmoid(x);
            case TANH -> (x, _) -> torch.tanh(x);
            case LEAKY_RELU -> {
                Scalar slope = new Scalar(activation.alpha());
                yield (x, _) -> torch.leaky_relu_(x, slope);
            }
            case ELU -> {
                Scalar alpha = new Scalar(activation.alpha());
                Scalar one = new Scalar(1.0);
                yield (x, _) -> torch.elu_(x, alpha, one, one);
            }
        };
    }

    private Layer maxPool(PoolSpec spec) {
        long[] kernel = {spec.kernelH(), spec.kernelW()};
        long[] stride = {spec.strideH(), spec.strideW()};
        long[] padding = symmetric(spec.padding());
        long[] one = {1, 1};
        shape = spec.outputShape("max_pool2d", shape);
        return (x, _) -> torch.max_pool2d(x, kernel, stride, padding, one, spec.ceilMode());
    }

    private Layer averagePool(PoolSpec spec) {
        long[] kernel = {spec.kernelH(), spec.kernelW()};
        long[] stride = {spec.strideH(), spec.strideW()};
        long[] padding = symmetric(spec.padding());
        LongOptional divisor = new LongOptional();
        shape = spec.outputShape("avg_pool2d", shape);
        return (x, _) -> torch.avg_pool2d(x, kernel, stride, padding, spec.ceilMode(), spec.countPadding(), divisor);
    }

    private Layer globalAverage() {
        long[] one = {1, 1};
        shape = shape.withDim(1, 1).withDim(2, 1);
        return (x, _) -> torch.adaptive_avg_pool2d(x, one);
    }

    private Layer dropout(double rate) {
        return options.dropout() ? (x, training) -> torch.dropout(x, rate, training) : TorchTranslation::identity;
    }

    private Layer flatten() {
        if (shape.rank() == 4) {
            flattened = shape;
            shape = Shape.of(1, Math.toIntExact(shape.elementCount()));
        }
        return (x, _) -> torch.flatten(x, 1, -1);
    }

    private static long[] symmetric(Padding padding) {
        if (!isSymmetric(padding)) {
            throw new IllegalArgumentException("libtorch: padding of poolings there is symmetric: padding=" + padding);
        }
        return new long[] {padding.top(), padding.left()};
    }

    private static boolean isSymmetric(Padding padding) {
        return padding.top() == padding.bottom() && padding.left() == padding.right();
    }
}
