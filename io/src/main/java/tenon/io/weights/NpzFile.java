package tenon.io.weights;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32;
import java.util.zip.CheckedInputStream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;

/** NumPy's {@code .npz}: a ZIP archive, packed or not, of {@code NAME.npy} arrays. The checksum of each array is compared when it is read. */
public final class NpzFile implements WeightsFile {
    private static final String SUFFIX = ".npy";
    private static final int MOST_ENTRIES = 1_000_000;
    /** Deflate expands at most 1032 times. */
    private static final long MOST_EXPANSION = 1032;

    private final Path path;
    private final ZipFile zip;
    private final Map<String, WeightsArray> arrays = new LinkedHashMap<>();
    private final Map<String, Entry> entries = new LinkedHashMap<>();

    private record Entry(ZipEntry entry, NpyHeader header) {}

    private NpzFile(Path path, ZipFile zip) {
        this.path = path;
        this.zip = zip;
    }

    /** @throws WeightsException when the file cannot be read or is not well-formed */
    public static NpzFile open(Path path) {
        ZipFile zip;
        try {
            zip = new ZipFile(path.toFile());
        } catch (NoSuchFileException e) {
            throw new WeightsException("npz weights " + path + ": there is no such file", e);
        } catch (IOException | IllegalArgumentException e) {
            throw new WeightsException(
                    "npz weights " + path + ": this is no ZIP archive, or a damaged one: " + e.getMessage(), e);
        }
        NpzFile file = new NpzFile(path, zip);
        try {
            file.list();
            return file;
        } catch (RuntimeException e) {
            file.close();
            throw e;
        }
    }

    private void list() {
        if (zip.size() > MOST_ENTRIES) {
            throw error("must have at most " + MOST_ENTRIES + " arrays: entries=" + zip.size());
        }
        List<? extends ZipEntry> all = zip.stream().toList();
        if (all.stream().anyMatch(entry -> entry.getName().endsWith("/data.pkl"))) {
            throw error("this is a pickled PyTorch file, which can run any program when it is read (where you trust it:"
                    + " safetensors.torch.save_file(torch.load(FILE, weights_only=True), 'FILE.safetensors'))");
        }
        for (ZipEntry entry : all) {
            if (!entry.getName().endsWith(SUFFIX)) {
                throw error("must hold .npy arrays only: entry=" + entry.getName());
            }
            String name = entry.getName().substring(0, entry.getName().length() - SUFFIX.length());
            NpyHeader header = header(entry);
            WeightsArray array = new WeightsArray(name, ArrayShapes.list(header.dims()), header.type());
            if (arrays.put(name, array) != null) {
                throw error("two arrays have the same name: name=" + name);
            }
            entries.put(name, new Entry(entry, header));
        }
    }

    private NpyHeader header(ZipEntry entry) {
        long most = path.toFile().length();
        if (entry.getCompressedSize() > most || entry.getSize() > MOST_EXPANSION * entry.getCompressedSize() + 64) {
            throw error("'" + entry.getName() + "' claims more data than the file holds: packed="
                    + entry.getCompressedSize() + ", unpacked=" + entry.getSize() + ", file=" + most);
        }
        NpyHeader header;
        try (InputStream in = zip.getInputStream(entry)) {
            header = NpyHeader.read(in);
        } catch (NpyHeader.BadHeader e) {
            throw new WeightsException(where() + ": '" + entry.getName() + "' " + e.getMessage(), e);
        } catch (IOException | IllegalArgumentException e) {
            throw damaged(entry, e);
        }
        long wanted = header.byteSize()
                + ArrayShapes.elements(header.dims()) * header.type().byteSize();
        if (entry.getSize() != wanted) {
            throw error("'" + entry.getName() + "' must have as many bytes as its shape asks for: shape="
                    + ArrayShapes.text(header.dims()) + ", type=" + header.type() + ", wanted=" + wanted + ", given="
                    + entry.getSize());
        }
        if (wanted > Integer.MAX_VALUE - 16) {
            throw error("'" + entry.getName() + "' must have less than 2^31 bytes: bytes=" + wanted);
        }
        return header;
    }

    @Override
    public String where() {
        return "npz weights " + path;
    }

    @Override
    public Map<String, WeightsArray> arrays() {
        return Collections.unmodifiableMap(arrays);
    }

    @Override
    public float[] read(String name) {
        Entry found = entries.get(name);
        if (found == null) {
            throw error("there is no array '" + name + "': it holds " + arrays.keySet());
        }
        NpyHeader header = found.header;
        int bytes = (int) ArrayShapes.elements(header.dims()) * header.type().byteSize();
        CRC32 crc = new CRC32();
        byte[] data;
        try (InputStream in = new CheckedInputStream(zip.getInputStream(found.entry), crc)) {
            in.readNBytes(header.byteSize());
            data = in.readNBytes(bytes);
            if (data.length < bytes || in.read() >= 0) {
                throw new EOFException("it has another length than its header says");
            }
        } catch (IOException | IllegalArgumentException e) {
            throw damaged(found.entry, e);
        }
        if (crc.getValue() != found.entry.getCrc()) {
            throw damaged(found.entry, new IOException("its checksum is wrong"));
        }
        float[] values = header.type().toFloats(MemorySegment.ofArray(data), header.order());
        return header.fortranOrder() ? rowMajor(values, header.dims()) : values;
    }

    /** From the order in which the first index changes fastest to the one in which the last does. */
    private static float[] rowMajor(float[] columnMajor, long[] dims) {
        float[] values = new float[columnMajor.length];
        int[] strides = new int[dims.length];
        int stride = 1;
        for (int d = 0; d < dims.length; d++) {
            strides[d] = stride;
            stride *= (int) dims[d];
        }
        int[] index = new int[dims.length];
        int from = 0;
        for (int i = 0; i < values.length; i++) {
            values[i] = columnMajor[from];
            for (int d = dims.length - 1; d >= 0; d--) {
                from += strides[d];
                if (++index[d] < dims[d]) {
                    break;
                }
                from -= strides[d] * (int) dims[d];
                index[d] = 0;
            }
        }
        return values;
    }

    private WeightsException damaged(ZipEntry entry, Exception cause) {
        return new WeightsException(
                where() + ": '" + entry.getName() + "' is damaged: " + cause.getMessage() + " (copy or fetch it again)",
                cause);
    }

    private WeightsException error(String problem) {
        return new WeightsException(where() + ": " + problem);
    }

    @Override
    public void close() {
        try {
            zip.close();
        } catch (IOException _) {
            // Nothing was written.
        }
    }
}
