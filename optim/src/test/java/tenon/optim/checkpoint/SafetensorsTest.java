package tenon.optim.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tenon.engine.DType;
import tenon.engine.Scope;
import tenon.engine.Shape;
import tenon.engine.Tensor;
import tenon.engine.backend.Backend;
import tenon.engine.backend.reference.ReferenceBackend;

class SafetensorsTest {
    /** Written by the Python package safetensors 0.7 (save of numpy arrays): fc.weight, index, image, d, empty. */
    private static final byte[] PYTHON = Base64.getDecoder()
            .decode(
                    "WAEAAAAAAAB7Il9fbWV0YWRhdGFfXyI6eyJub3RlIjoiZ3LDvG4iLCJmb3JtYXQiOiJucCJ9LCJkIjp7ImR0eXBlIjoiRjY0Iiwic2hh"
                        + "cGUiOltdLCJkYXRhX29mZnNldHMiOlswLDhdfSwiZW1wdHkiOnsiZHR5cGUiOiJGMzIiLCJzaGFwZSI6WzAsM10sImRhdGFf"
                        + "b2Zmc2V0cyI6WzgsOF19LCJmYy53ZWlnaHQiOnsiZHR5cGUiOiJGMzIiLCJzaGFwZSI6WzIsM10sImRhdGFfb2Zmc2V0cyI6"
                        + "WzgsMzJdfSwiaW5kZXgiOnsiZHR5cGUiOiJJMzIiLCJzaGFwZSI6WzJdLCJkYXRhX29mZnNldHMiOlszMiw0MF19LCJpbWFn"
                        + "ZSI6eyJkdHlwZSI6IlU4Iiwic2hhcGUiOlsxLDEsM10sImRhdGFfb2Zmc2V0cyI6WzQwLDQzXX19IJqZmZmZmbk/AACAPwAA"
                        + "IMAAAEBAzczMPcIWAQAAAIB/BwAAAP////8A/4A=");

    @TempDir
    private Path folder;

    private Backend backend;
    private Scope scope;

    @BeforeEach
    void open() {
        backend = ReferenceBackend.open();
        scope = Scope.open("test", backend);
    }

    @AfterEach
    void close() {
        scope.close();
        backend.close();
    }

    private Path file(byte[] bytes) throws IOException {
        return Files.write(folder.resolve("x.safetensors"), bytes);
    }

    private Path file(String header, int dataBytes) throws IOException {
        byte[] json = header.getBytes(StandardCharsets.UTF_8);
        return file(ByteBuffer.allocate(8 + json.length + dataBytes)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(json.length)
                .put(json)
                .array());
    }

    @Test
    void readsWhatThePythonPackageWrote() throws IOException {
        try (SafetensorsFile file = SafetensorsFile.open(file(PYTHON))) {
            assertThat(file.metadata()).containsOnly(Map.entry("format", "np"), Map.entry("note", "grün"));
            assertThat(file.entries().keySet()).containsExactlyInAnyOrder("fc.weight", "index", "image", "d", "empty");
            Tensor weight = Tensor.empty(Shape.of(2, 3), DType.F32);
            file.read("fc.weight", weight);
            assertThat(weight.toFloatArray()).containsExactly(1, -2.5f, 3, 0.1f, 1e-40f, Float.POSITIVE_INFINITY);
            Tensor index = Tensor.empty(Shape.of(2), DType.I32);
            file.read("index", index);
            assertThat(index.toIntArray()).containsExactly(7, -1);
            Tensor image = Tensor.empty(Shape.of(1, 1, 3), DType.U8);
            file.read("image", image);
            assertThat(image.toFloatArray()).containsExactly(0, 255, 128);
            Tensor d = Tensor.empty(Shape.scalar(), DType.F64);
            file.read("d", d);
            assertThat(d.item()).isEqualTo(0.1);
            assertThat(file.bytes("empty").byteSize()).isZero();
        }
    }

    @Test
    void keepsEveryBitOfEveryType() throws IOException {
        Random random = new Random(5);
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        for (DType dtype : DType.values()) {
            Tensor tensor = Tensor.empty(Shape.of(3, 5, 7), dtype);
            byte[] bytes = new byte[(int) tensor.byteSize()];
            random.nextBytes(bytes);
            tensor.upload(MemorySegment.ofArray(bytes));
            tensors.put("layer." + dtype, tensor);
        }
        Path path = folder.resolve("all.safetensors");
        FileDigest digest = SafetensorsWriter.write(FileOps.SYSTEM, path, tensors, Map.of("layout", "NHWC"));

        assertThat(digest).isEqualTo(FileDigest.of(path));
        try (SafetensorsFile file = SafetensorsFile.open(path)) {
            assertThat(file.metadata()).containsOnly(Map.entry("layout", "NHWC"));
            for (var entry : tensors.entrySet()) {
                DType dtype = entry.getValue().dtype();
                assertThat(file.entries().get(entry.getKey()).begin() % dtype.byteSize())
                        .isZero();
                assertThat(file.bytes(entry.getKey()).mismatch(entry.getValue().segment()))
                        .isEqualTo(-1);
            }
        }
        byte[] all = Files.readAllBytes(path);
        long headerBytes = ByteBuffer.wrap(all).order(ByteOrder.LITTLE_ENDIAN).getLong();
        assertThat((8 + headerBytes) % 64).isZero();
        assertThat(all[8]).isEqualTo((byte) '{');
    }

    @Test
    void restoresAllOrNothing() throws IOException {
        Path path = folder.resolve("two.safetensors");
        SafetensorsWriter.write(
                FileOps.SYSTEM,
                path,
                Map.of("a", Tensor.of(new float[] {1}, 1), "b", Tensor.of(new float[] {2, 3}, 2)),
                Map.of());
        try (SafetensorsFile file = SafetensorsFile.open(path)) {
            Tensor a = Tensor.of(new float[] {-1}, 1);
            Tensor wrong = Tensor.of(new float[] {0, 0}, 1, 2);
            assertThatThrownBy(() -> file.readAll(Map.of("a", a, "b", wrong)))
                    .isInstanceOf(CheckpointException.class)
                    .hasMessageContaining(
                            "tensor 'b' must have the model's shape and dtype: file=F32[2], model=F32[1, 2]");
            assertThatThrownBy(() -> file.readAll(Map.of("a", a, "c", wrong)))
                    .hasMessageContaining("missing=[c], unexpected=[b]");
            assertThat(a.toFloatArray()).containsExactly(-1);
            Tensor b = Tensor.of(new float[] {0, 0}, 2);
            file.readAll(Map.of("a", a, "b", b));
            assertThat(a.toFloatArray()).containsExactly(1);
            assertThat(b.toFloatArray()).containsExactly(2, 3);
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '~',
            value = {
                "{'a':{'dtype':'F32','shape':[2],'data_offsets':[0,8]}} | 4 | inside the data section of 4 bytes",
                "{'a':{'dtype':'F32','shape':[2],'data_offsets':[0,4]}} | 4 | wanted=8",
                "{'a':{'dtype':'F32','shape':[1],'data_offsets':[4,8]}} | 8 | without holes or overlaps",
                "{'a':{'dtype':'F32','shape':[1],'data_offsets':[0,4]},'b':{'dtype':'F32','shape':[1],'data_offsets':[0,4]}}"
                    + " | 4 | 'b' begins at 0, expected 4",
                "{'a':{'dtype':'F32','shape':[1],'data_offsets':[0,4]}} | 5 | must end with the last tensor",
                "{'a':{'dtype':'F32','shape':[-1],'data_offsets':[0,4]}} | 4 | dimensions from 0",
                "{'a':{'dtype':'F32','shape':[4000000000],'data_offsets':[0,4]}} | 4 | dimensions from 0",
                "{'a':{'dtype':'F64','shape':[2000000000,2000000000,2000000000],'data_offsets':[0,4]}} | 4 | larger"
                        + " than any file",
                "{'a':{'dtype':'F32','shape':[1],'data_offsets':[-4,0]}} | 4 | inside the data section",
                "{'a':{'dtype':'F32','shape':[1],'data_offsets':[0,99999999999999999999]}} | 4 | data_offsets [begin",
                "{'a':{'dtype':'F33','shape':[1],'data_offsets':[0,4]}} | 4 | known dtype: dtype=F33",
                "{'a':{'dtype':'F32','data_offsets':[0,4]}} | 4 | must have a shape",
                "{'a':{'dtype':'F32','shape':[1]}} | 4 | data_offsets [begin",
                "{'a':{'dtype':'F32','shape':[1],'data_offsets':[0,4]},'a':{'dtype':'F32','shape':[1],'data_offsets':[0,4]}}"
                    + " | 4 | Duplicate field",
                "{'__metadata__':{'x':1}} | 0 | must hold strings",
                "[1] | 0 | must be a JSON object",
                "[[[[[[[[1]]]]]]]] | 0 | must be JSON",
                "{} x | 0 | must be JSON",
                "{'a': | 0 | must be JSON",
            })
    void refusesWhatIsNotWellFormed(String header, int dataBytes, String message) throws IOException {
        Path path = file(header.replace('\'', '"'), dataBytes);
        assertThatThrownBy(() -> SafetensorsFile.open(path))
                .isInstanceOf(CheckpointException.class)
                .hasMessageStartingWith("safetensors '")
                .hasMessageContaining(message);
    }

    @ParameterizedTest
    @CsvSource({"-1", "0", "1", "100000001", "9223372036854775807", "1000"})
    void refusesAHeaderLongerThanTheFile(long headerBytes) throws IOException {
        Path path = file(ByteBuffer.allocate(64)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(headerBytes)
                .array());
        assertThatThrownBy(() -> SafetensorsFile.open(path))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("the header must fit");
    }

    @Test
    void survivesEveryTruncationAndManyBitFlips() throws IOException {
        for (int length = 0; length < PYTHON.length; length++) {
            Path path = file(Arrays.copyOf(PYTHON, length));
            assertThatThrownBy(() -> SafetensorsFile.open(path)).isInstanceOf(CheckpointException.class);
        }
        Random random = new Random(11);
        for (int i = 0; i < 2000; i++) {
            byte[] bytes = PYTHON.clone();
            for (int flips = 0; flips <= i % 3; flips++) {
                bytes[random.nextInt(354)] ^= (byte) (1 << random.nextInt(8));
            }
            try (SafetensorsFile file = SafetensorsFile.open(file(bytes))) {
                for (String name : file.entries().keySet()) {
                    file.bytes(name).toArray(ValueLayout.JAVA_BYTE);
                }
            } catch (CheckpointException expected) {
                assertThat(expected).hasMessageStartingWith("safetensors '");
            }
        }
    }
}
