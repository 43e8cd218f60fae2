package tenon.optim.checkpoint;

import java.util.List;

/**
 * One tensor of a safetensors file.
 *
 * @param dtype the format's name of the element type, e.g. {@code F32}
 * @param begin first byte within the data section
 * @param end one past the last byte
 */
public record SafetensorsEntry(String name, String dtype, List<Integer> shape, long begin, long end) {
    public long byteSize() {
        return end - begin;
    }
}
