package tenon.apps.onnx;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import tenon.engine.Shape;
import tenon.engine.TenonException;
import tenon.engine.Tensor;
import tenon.layers.Module;
import tenon.optim.checkpoint.AtomicFiles;
import tenon.optim.checkpoint.FileOps;
import tenon.optim.train.BuildInfo;

/**
 * Writes a network as an ONNX file (onnx.proto of ONNX 1.12): opset {@value #OPSET}, images [N, C, H, W] with N free, logits [N, classes], weights by their
 * names in Tenon. Field numbers below are those of onnx.proto.
 */
public final class OnnxFile {
    /** Known to ONNX Runtime from 1.12 (2022) on. */
    public static final int OPSET = 17;

    private static final int IR_VERSION = 8;
    /** A message of the format must be smaller. */
    private static final long MOST_BYTES = Integer.MAX_VALUE;

    private static final int FLOAT = 1;
    private static final int INT64 = 7;
    private static final int CHUNK_BYTES = 1 << 20;

    private final NetworkGraph graph;
    private final Map<String, Tensor> weights;

    private OnnxFile(NetworkGraph graph, Map<String, Tensor> weights) {
        this.graph = graph;
        this.weights = weights;
    }

    /**
     * Writes a file, replacing an existing one only when the new one is complete.
     *
     * @param network makes a network of the architecture when called
     * @param input [N, H, W, C]
     * @param weights the network's state by name, F32
     * @param metadata free notes, e.g. how pictures become inputs
     * @throws TenonException when the network does what has no ONNX form here, or is too large
     */
    public static void write(
            Path file,
            String name,
            Supplier<Module> network,
            Shape input,
            Map<String, Tensor> weights,
            Map<String, String> metadata)
            throws IOException {
        ProtoMessage model = new OnnxFile(GraphRecorder.record(network, input), weights).model(name, metadata);
        if (model.byteSize() >= MOST_BYTES) {
            throw new TenonException("onnx: a file must be smaller than 2 GiB: bytes=" + model.byteSize());
        }
        Path target = file.toAbsolutePath();
        Files.createDirectories(target.getParent());
        AtomicFiles.replace(target, temporary -> {
            try (FileOps.Output out = FileOps.SYSTEM.create(temporary)) {
                model.writeTo(out);
                out.sync();
            }
        });
    }

    private ProtoMessage model(String name, Map<String, String> metadata) {
        ProtoMessage model = new ProtoMessage()
                .number(1, IR_VERSION)
                .text(2, "tenon")
                .text(3, BuildInfo.current().version())
                .message(7, graph(name))
                .message(8, new ProtoMessage().text(1, "").number(2, OPSET));
        metadata.forEach((key, value) ->
                model.message(14, new ProtoMessage().text(1, key).text(2, value)));
        return model;
    }

    private ProtoMessage graph(String name) {
        ProtoMessage message = new ProtoMessage();
        graph.nodes().forEach(node -> message.message(1, node(node)));
        message.text(2, name);
        graph.initializers().forEach(constant -> message.message(5, tensor(constant)));
        Shape in = graph.input();
        message.message(11, value(NetworkGraph.INPUT, in.dim(3), in.dim(1), in.dim(2)));
        return message.message(12, value(NetworkGraph.OUTPUT, graph.output().dim(1)));
    }

    private static ProtoMessage node(GraphNode node) {
        ProtoMessage message = new ProtoMessage();
        node.inputs().forEach(input -> message.text(1, input));
        message.text(2, node.output()).text(3, node.name()).text(4, node.type());
        node.attributes().forEach((name, value) -> message.message(5, attribute(name, value)));
        return message;
    }

    private static ProtoMessage attribute(String name, Object value) {
        ProtoMessage message = new ProtoMessage().text(1, name);
        switch (value) {
            case Float real -> message.real(2, real).number(20, 1);
            case Long number -> message.number(3, number).number(20, 2);
            case List<?> numbers -> {
                numbers.forEach(number -> message.number(8, (Long) number));
                message.number(20, 7);
            }
            default -> throw new IllegalArgumentException("attribute " + name + ": " + value);
        }
        return message;
    }

    /** F32 with a free first dimension. */
    private static ProtoMessage value(String name, int... rest) {
        ProtoMessage shape = new ProtoMessage().message(1, new ProtoMessage().text(2, "N"));
        for (int dim : rest) {
            shape.message(1, new ProtoMessage().number(1, dim));
        }
        ProtoMessage type = new ProtoMessage().number(1, FLOAT).message(2, shape);
        return new ProtoMessage().text(1, name).message(2, new ProtoMessage().message(1, type));
    }

    private ProtoMessage tensor(Initializer constant) {
        ProtoMessage message = new ProtoMessage();
        constant.shape().forEach(dim -> message.number(1, dim));
        boolean integers = constant.numbers() != null && !constant.shape().isEmpty();
        return message.number(2, integers ? INT64 : FLOAT)
                .text(8, constant.name())
                .bytes(9, contents(constant, integers));
    }

    private ProtoMessage.Source contents(Initializer constant, boolean integers) {
        if (constant.numbers() != null) {
            ByteBuffer bytes =
                    ByteBuffer.allocate(8 * constant.numbers().size()).order(ByteOrder.LITTLE_ENDIAN);
            constant.numbers().forEach(number -> {
                if (integers) {
                    bytes.putLong(number);
                } else {
                    bytes.putFloat(number);
                }
            });
            return new Values(bytes.flip());
        }
        if (constant.order() == Initializer.Order.ONES) {
            int count = Math.toIntExact(constant.shape().getFirst());
            ByteBuffer bytes = ByteBuffer.allocate(4 * count).order(ByteOrder.LITTLE_ENDIAN);
            while (bytes.hasRemaining()) {
                bytes.putFloat(1);
            }
            return new Values(bytes.flip());
        }
        Tensor tensor = weights.get(constant.source());
        return constant.order() == Initializer.Order.CHANNELS_FIRST ? new Filters(tensor) : new Plain(tensor);
    }

    private record Values(ByteBuffer bytes) implements ProtoMessage.Source {
        @Override
        public long byteSize() {
            return bytes.remaining();
        }

        @Override
        public void writeTo(FileOps.Output out) throws IOException {
            out.write(bytes.duplicate());
        }
    }

    /** A tensor as it is. */
    private record Plain(Tensor tensor) implements ProtoMessage.Source {
        @Override
        public long byteSize() {
            return tensor.byteSize();
        }

        @Override
        public void writeTo(FileOps.Output out) throws IOException {
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment host =
                        arena.allocate(Math.max(1, tensor.byteSize()), 64).asSlice(0, tensor.byteSize());
                tensor.download(host);
                for (long at = 0; at < host.byteSize(); at += CHUNK_BYTES) {
                    out.write(host.asSlice(at, Math.min(CHUNK_BYTES, host.byteSize() - at))
                            .asByteBuffer());
                }
            }
        }
    }

    /** Filters [K, R, S, C] as [K, C, R, S]. */
    private record Filters(Tensor tensor) implements ProtoMessage.Source {
        @Override
        public long byteSize() {
            return tensor.byteSize();
        }

        @Override
        public void writeTo(FileOps.Output out) throws IOException {
            Shape shape = tensor.shape();
            int channels = shape.dim(3);
            int window = shape.dim(1) * shape.dim(2);
            float[] values = tensor.toFloatArray();
            ByteBuffer filter = ByteBuffer.allocate(4 * channels * window).order(ByteOrder.LITTLE_ENDIAN);
            for (int k = 0; k < shape.dim(0); k++) {
                filter.clear();
                for (int c = 0; c < channels; c++) {
                    for (int i = 0; i < window; i++) {
                        filter.putFloat(values[(k * window + i) * channels + c]);
                    }
                }
                out.write(filter.flip());
            }
        }
    }
}
