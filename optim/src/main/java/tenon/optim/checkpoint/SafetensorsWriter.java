package tenon.optim.checkpoint;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tenon.engine.Tensor;

/**
 * Writes tensors as safetensors, the format that PyTorch, JAX and others read:
 *
 * <pre>
 * ┌──────────────┬───────────────────────────────────────────┬─────────────────────────────┐
 * │ N: u64, LE   │ JSON header of N bytes, padded with ' '   │ data, row-major, LE         │
 * └──────────────┴───────────────────────────────────────────┴─────────────────────────────┘
 *   8 bytes        {"name": {"dtype", "shape", "data_offsets"}}  widest elements first
 * </pre>
 *
 * The data section begins at a multiple of 64 bytes and wider elements come first, so every element is aligned in a memory map.
 */
public final class SafetensorsWriter {
    private static final int CHUNK_BYTES = 1 << 26;

    private SafetensorsWriter() {}

    /**
     * Writes a new file and makes it durable.
     *
     * @param tensors by name; F32, F64, BF16, I32 or U8
     * @param metadata free notes; must not be relied on to read the tensors
     */
    public static FileDigest write(FileOps files, Path file, Map<String, Tensor> tensors, Map<String, String> metadata)
            throws IOException {
        List<String> order = new ArrayList<>(tensors.keySet());
        order.sort(Comparator.comparingInt(
                (String name) -> -tensors.get(name).dtype().byteSize()));
        Map<String, SafetensorsEntry> entries = new LinkedHashMap<>();
        long position = 0;
        for (String name : order) {
            if (name.equals("__metadata__")) {
                throw new IllegalArgumentException("safetensors: '__metadata__' is no name for a tensor");
            }
            Tensor tensor = tensors.get(name);
            long end = position + tensor.byteSize();
            List<Integer> shape =
                    Arrays.stream(tensor.shape().toArray()).boxed().toList();
            entries.put(name, new SafetensorsEntry(name, tensor.dtype().name(), shape, position, end));
            position = end;
        }
        byte[] header = new SafetensorsHeader(metadata, entries).toBytes();
        try (FileOps.Output out = files.create(file);
                DigestingOutput digesting = new DigestingOutput(out)) {
            digesting.write(ByteBuffer.wrap(header));
            for (String name : order) {
                writeTensor(digesting, tensors.get(name));
            }
            digesting.sync();
            return digesting.digest();
        }
    }

    private static void writeTensor(FileOps.Output out, Tensor tensor) throws IOException {
        MemorySegment readable = tensor.readableSegment();
        if (readable != null) {
            writeSegment(out, readable);
            return;
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment host =
                    arena.allocate(Math.max(1, tensor.byteSize()), 64).asSlice(0, tensor.byteSize());
            tensor.download(host);
            writeSegment(out, host);
        }
    }

    private static void writeSegment(FileOps.Output out, MemorySegment segment) throws IOException {
        for (long at = 0; at < segment.byteSize(); at += CHUNK_BYTES) {
            out.write(segment.asSlice(at, Math.min(CHUNK_BYTES, segment.byteSize() - at))
                    .asByteBuffer());
        }
    }
}
