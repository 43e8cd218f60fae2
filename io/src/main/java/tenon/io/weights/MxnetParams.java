package tenon.io.weights;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * MXNet's list of arrays ({@code prefix-0042.params}, Gluon's {@code save_parameters}), little-endian:
 *
 * <pre>
 * u64 0x112   u64 0   u64 n   n arrays   u64 n   n names: u64 length, UTF-8
 *
 * array, 2018 on      u32 0xF993FAC9   i32 storage (0: dense)   u32 rank   i64 dims   i32 device   i32 number   i32 type   elements
 * array, 2017         u32 0xF993FAC8                            u32 rank   i64 dims   i32 device   i32 number   i32 type   elements
 * array, before                                                 u32 rank   u32 dims   i32 device   i32 number   i32 type   elements
 * </pre>
 *
 * {@code 0xF993FACA} stands for the first form where a rank of 0 means a single number instead of nothing. The names' prefixes {@code arg:} and {@code aux:} are
 * left out of {@link #arrays}.
 */
public final class MxnetParams implements WeightsFile {
    static final long MAGIC = 0x112;
    private static final int V1 = 0xF993FAC8;
    private static final int V2 = 0xF993FAC9;
    private static final int V3 = 0xF993FACA;

    private static final int LONGEST_NAME = 1 << 16;
    /** Of the type numbers 0, 1, …; null where there is none that weights could be of. */
    private static final ElementType[] TYPES = {
        ElementType.F32,
        ElementType.F64,
        ElementType.F16,
        ElementType.U8,
        ElementType.I32,
        ElementType.I8,
        ElementType.I64,
        ElementType.BOOL,
        ElementType.I16,
        null,
        null,
        null,
        ElementType.BF16
    };

    private final Path path;
    private final Arena arena;
    private final MemorySegment all;
    private final Map<String, WeightsArray> arrays = new LinkedHashMap<>();
    private final Map<String, MemorySegment> contents = new LinkedHashMap<>();
    private long position;

    private record Array(long[] dims, ElementType type, MemorySegment bytes) {}

    private MxnetParams(Path path, Arena arena, MemorySegment all) {
        this.path = path;
        this.arena = arena;
        this.all = all;
    }

    /** @throws WeightsException when the file cannot be read or is not well-formed */
    public static MxnetParams open(Path path) {
        Arena arena = Arena.ofShared();
        try (FileChannel channel = FileChannel.open(path)) {
            MemorySegment all = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
            MxnetParams file = new MxnetParams(path, arena, all);
            file.parse();
            return file;
        } catch (NoSuchFileException e) {
            arena.close();
            throw new WeightsException("mxnet weights " + path + ": there is no such file", e);
        } catch (IOException e) {
            arena.close();
            throw new WeightsException("mxnet weights " + path + ": cannot be read: " + e, e);
        } catch (RuntimeException e) {
            arena.close();
            throw e;
        }
    }

    private void parse() {
        if (all.byteSize() < 24 || readLong("magic number") != MAGIC) {
            throw error("this is no list of arrays: it must begin with 0x112 as a 64-bit number");
        }
        readLong("reserved word");
        int count = count("arrays", 16);
        List<Array> read = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            read.add(array("array " + i));
        }
        int names = count("names", 8);
        if (names != count) {
            throw error("must have a name for each array: arrays=" + count + ", names=" + names
                    + (names == 0 ? " (save a dictionary, not a list)" : ""));
        }
        for (int i = 0; i < count; i++) {
            String name = name("name " + i);
            Array array = read.get(i);
            if (arrays.put(name, new WeightsArray(name, ArrayShapes.list(array.dims), array.type)) != null) {
                throw error("two arrays have the same name: name=" + name);
            }
            contents.put(name, array.bytes);
        }
        if (position != all.byteSize()) {
            throw error("must end with the last name: end=" + position + ", bytes=" + all.byteSize());
        }
    }

    /** @param leastBytes that each of them takes */
    private int count(String what, int leastBytes) {
        long count = readLong("number of " + what);
        if (count < 0 || count > remaining() / leastBytes) {
            throw error("has no room for so many " + what + ": count=" + Long.toUnsignedString(count) + ", bytes left="
                    + remaining());
        }
        return (int) count;
    }

    private Array array(String what) {
        int magic = readInt(what);
        if (magic == V2 || magic == V3) {
            int storage = readInt(what);
            if (storage != 0) {
                throw error(what + " must be dense: storage type=" + storage + " (1 and 2 are sparse)");
            }
        }
        boolean wide = magic == V1 || magic == V2 || magic == V3;
        long[] dims = dims(what, wide ? readInt(what) : magic, wide);
        if (dims.length == 0 && magic != V3) {
            throw error(what + " is empty: it has neither shape nor elements");
        }
        readInt(what); // device
        readInt(what); // number of the device
        int number = readInt(what);
        if (number < 0 || number >= TYPES.length || TYPES[number] == null) {
            throw error(what + " has an unknown element type: type=" + number);
        }
        ElementType type = TYPES[number];
        long bytes = ArrayShapes.elements(dims) * type.byteSize();
        return new Array(dims, type, take(bytes, what));
    }

    private long[] dims(String what, int rank, boolean wide) {
        if (rank < 0 || rank > remaining() / (wide ? 8 : 4)) {
            throw error(what + " has no room for so many dimensions: rank=" + Integer.toUnsignedString(rank));
        }
        long[] dims = new long[rank];
        for (int i = 0; i < rank; i++) {
            dims[i] = wide ? readLong(what) : Integer.toUnsignedLong(readInt(what));
        }
        String problem = ArrayShapes.problem(dims);
        if (problem != null) {
            throw error(what + " " + problem);
        }
        return dims;
    }

    private String name(String what) {
        long length = readLong(what);
        if (length < 0 || length > LONGEST_NAME) {
            throw error(
                    what + " must have at most " + LONGEST_NAME + " bytes: length=" + Long.toUnsignedString(length));
        }
        byte[] bytes = take(length, what).toArray(ValueLayout.JAVA_BYTE);
        try {
            String name = StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString();
            return name.startsWith("arg:") || name.startsWith("aux:") ? name.substring(4) : name;
        } catch (CharacterCodingException e) {
            throw new WeightsException(where() + ": " + what + " must be UTF-8", e);
        }
    }

    private int readInt(String what) {
        return take(4, what).get(ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN), 0);
    }

    private long readLong(String what) {
        return take(8, what).get(ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN), 0);
    }

    private MemorySegment take(long bytes, String what) {
        if (bytes > remaining()) {
            throw error("ends inside " + what + ": wanted=" + bytes + " bytes, left=" + remaining()
                    + " (is the file cut short?)");
        }
        MemorySegment taken = all.asSlice(position, bytes);
        position += bytes;
        return taken;
    }

    private long remaining() {
        return all.byteSize() - position;
    }

    @Override
    public String where() {
        return "mxnet weights " + path;
    }

    private WeightsException error(String problem) {
        return new WeightsException(where() + ": " + problem);
    }

    @Override
    public Map<String, WeightsArray> arrays() {
        return Collections.unmodifiableMap(arrays);
    }

    @Override
    public float[] read(String name) {
        WeightsArray array = arrays.get(name);
        if (array == null) {
            throw error("there is no array '" + name + "': it holds " + arrays.keySet());
        }
        return array.type().toFloats(contents.get(name), ByteOrder.LITTLE_ENDIAN);
    }

    @Override
    public void close() {
        arena.close();
    }
}
