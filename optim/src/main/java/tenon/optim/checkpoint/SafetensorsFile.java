package tenon.optim.checkpoint;

import static tenon.optim.checkpoint.SafetensorsHeader.bad;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import tenon.engine.Tensor;

/**
 * A safetensors file, mapped into memory and checked as if an attacker had written it: what this class hands out lies inside the file and has the
 * size that shape and element type ask for. Values are not judged. Close it to unmap.
 */
public final class SafetensorsFile implements AutoCloseable {
    private static final ValueLayout.OfLong LENGTH = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final Path file;
    private final Arena arena;
    private final MemorySegment data;
    private final SafetensorsHeader header;

    private SafetensorsFile(Path file, Arena arena, MemorySegment data, SafetensorsHeader header) {
        this.file = file;
        this.arena = arena;
        this.data = data;
        this.header = header;
    }

    /** @throws CheckpointException when the file cannot be read or is not well-formed; the message says why */
    public static SafetensorsFile open(Path file) {
        Arena arena = Arena.ofShared();
        try (FileChannel channel = FileChannel.open(file)) {
            long fileBytes = channel.size();
            if (fileBytes < 8) {
                throw bad(file.toString(), "must have at least 8 bytes: size=" + fileBytes, null);
            }
            MemorySegment all = channel.map(FileChannel.MapMode.READ_ONLY, 0, fileBytes, arena);
            long headerBytes = all.get(LENGTH, 0);
            if (headerBytes < 2 || headerBytes > SafetensorsHeader.MAX_HEADER_BYTES || headerBytes > fileBytes - 8) {
                throw bad(
                        file.toString(),
                        "the header must fit into the file and into " + SafetensorsHeader.MAX_HEADER_BYTES
                                + " bytes: header=" + Long.toUnsignedString(headerBytes) + ", file=" + fileBytes,
                        null);
            }
            byte[] json = all.asSlice(8, headerBytes).toArray(ValueLayout.JAVA_BYTE);
            MemorySegment data = all.asSlice(8 + headerBytes);
            return new SafetensorsFile(
                    file, arena, data, SafetensorsHeader.parse(file.toString(), json, data.byteSize()));
        } catch (IOException e) {
            arena.close();
            throw bad(file.toString(), "could not be read: " + e, e);
        } catch (RuntimeException e) {
            arena.close();
            throw e;
        }
    }

    public Map<String, String> metadata() {
        return header.metadata();
    }

    public Map<String, SafetensorsEntry> entries() {
        return header.entries();
    }

    /** The bytes of one tensor, read-only, valid until this file is closed. */
    public MemorySegment bytes(String name) {
        SafetensorsEntry entry = header.entries().get(name);
        if (entry == null) {
            throw bad(
                    file.toString(),
                    "there is no tensor '" + name + "': it holds "
                            + header.entries().keySet(),
                    null);
        }
        return data.asSlice(entry.begin(), entry.byteSize());
    }

    /** Overwrites a tensor with the one of that name; shape and dtype must be equal. */
    public void read(String name, Tensor into) {
        MemorySegment bytes = bytes(name);
        checkFits(name, into);
        into.upload(bytes);
    }

    private void checkFits(String name, Tensor into) {
        SafetensorsEntry entry = header.entries().get(name);
        if (!entry.dtype().equals(into.dtype().name()) || !entry.shape().equals(dims(into))) {
            throw bad(
                    file.toString(),
                    "tensor '" + name + "' must have the model's shape and dtype: file=" + entry.dtype() + entry.shape()
                            + ", model=" + into.dtype() + into.shape(),
                    null);
        }
    }

    private static List<Integer> dims(Tensor tensor) {
        return Arrays.stream(tensor.shape().toArray()).boxed().toList();
    }

    /**
     * Overwrites all tensors; the file must hold exactly these names, shapes and dtypes. Nothing is overwritten unless everything fits.
     */
    public void readAll(Map<String, Tensor> into) {
        List<String> missing = new ArrayList<>(into.keySet());
        missing.removeAll(header.entries().keySet());
        List<String> unexpected = new ArrayList<>(header.entries().keySet());
        unexpected.removeAll(into.keySet());
        if (!missing.isEmpty() || !unexpected.isEmpty()) {
            throw bad(
                    file.toString(),
                    "must hold exactly the tensors of the model: missing=" + missing + ", unexpected=" + unexpected
                            + " (is it a checkpoint of another model?)",
                    null);
        }
        into.forEach(this::checkFits);
        into.forEach(this::read);
    }

    @Override
    public void close() {
        arena.close();
    }
}
