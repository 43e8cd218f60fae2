package tenon.optim.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tenon.engine.Scope;
import tenon.engine.backend.Backend;
import tenon.engine.backend.reference.ReferenceBackend;
import tenon.layers.Dense;
import tenon.layers.Flatten;
import tenon.layers.Module;
import tenon.layers.Sequential;
import tenon.optim.Sgd;
import tenon.optim.UpdateRules;
import tenon.optim.checkpoint.CheckpointStore;
import tenon.optim.schedule.Schedule;
import tenon.optim.tensorboard.TensorBoardWriter;

/** Which points a run leaves for TensorBoard, read back from its files. */
class TensorBoardWriterTest {
    @TempDir
    private Path folder;

    private Backend backend;
    private Scope scope;

    @BeforeEach
    void open() {
        backend = ReferenceBackend.open();
        scope = Scope.open("run", backend);
    }

    @AfterEach
    void close() {
        scope.close();
        backend.close();
    }

    private Trainer.Builder trainer(TensorBoardWriter writer) {
        Module model = Sequential.of(new Flatten(), new Dense(32, JitterSource.CLASSES));
        return Trainer.builder(
                        model,
                        new Sgd(model.parameters(), UpdateRules.PLAIN),
                        Schedule.constant(0.01),
                        Loss.crossEntropy(),
                        new JitterSource(43, 8, 5, true))
                .validation(new JitterSource(20, 8, 6, false))
                .checkpoints(CheckpointStore.open(folder.resolve("checkpoints"), 2))
                .callback(writer);
    }

    /** Six steps an epoch: points after 4 and 6. */
    @Test
    void aPointEveryFewStepsAndAtEveryEpochsEnd() throws IOException {
        History history;
        try (TensorBoardWriter writer = new TensorBoardWriter(folder.resolve("events"), 4)) {
            history = trainer(writer).build().fit(2);
        }
        Map<String, TreeMap<Long, Float>> curves = read(files().getFirst());
        assertThat(curves.get("step/loss").keySet()).containsExactly(4L, 6L, 10L, 12L);
        assertThat(curves.get("loss/val").keySet()).containsExactly(6L, 12L);
        EpochRecord first = history.epochs().getFirst();
        assertThat(curves.get("loss/train").get(6L)).isEqualTo((float) first.loss());
        assertThat(curves.get("rank-1/val").get(6L)).isEqualTo((float) first.validationAccuracy());
        // 32 samples in the first four batches, 11 in the last two.
        double mean = (32 * curves.get("step/loss").get(4L)
                        + 11 * curves.get("step/loss").get(6L))
                / 43;
        assertThat(mean).isCloseTo(first.loss(), within(1e-6));
        assertThat(curves.get("step/learning-rate").get(4L)).isEqualTo(0.01f);
    }

    @Test
    void aResumedRunTakesBackWhatItDoesAgain() throws IOException {
        try (TensorBoardWriter writer = new TensorBoardWriter(folder.resolve("events"), 2)) {
            trainer(writer)
                    .callback(new Callback() {
                        @Override
                        public void onStepEnd(Trainer t, Progress progress) {
                            if (progress.step() == 8) {
                                t.requestStop();
                            }
                        }
                    })
                    .build()
                    .fit(2);
        }
        try (TensorBoardWriter writer = new TensorBoardWriter(folder.resolve("events"), 2)) {
            Trainer resumed = trainer(writer).build();
            resumed.resume();
            resumed.fit(2);
        }
        List<Path> files = files();
        assertThat(files).hasSize(2);
        Map<String, TreeMap<Long, Float>> curves = read(files.getLast());
        assertThat(curves.get("START").keySet()).containsExactly(9L);
        // Step 9 begins the sums anew: what the epoch's first two steps showed is in them.
        assertThat(curves.get("step/loss").keySet()).containsExactly(11L, 12L);
    }

    private List<Path> files() throws IOException {
        try (Stream<Path> files = Files.list(folder.resolve("events"))) {
            return files.sorted().toList();
        }
    }

    /** Values by tag and step. */
    private static Map<String, TreeMap<Long, Float>> read(Path file) throws IOException {
        Map<String, TreeMap<Long, Float>> curves = new TreeMap<>();
        ByteBuffer in = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
        while (in.hasRemaining()) {
            int length = Math.toIntExact(in.getLong());
            in.getInt();
            ByteBuffer event = in.slice(in.position(), length).order(ByteOrder.LITTLE_ENDIAN);
            in.position(in.position() + length + Integer.BYTES);
            readEvent(event, curves);
        }
        return curves;
    }

    private static void readEvent(ByteBuffer event, Map<String, TreeMap<Long, Float>> curves) {
        long step = 0;
        while (event.hasRemaining()) {
            switch ((int) varint(event)) {
                case 1 << 3 | 1 -> event.getDouble();
                case 2 << 3 -> step = varint(event);
                case 3 << 3 | 2 -> message(event);
                case 7 << 3 | 2 -> {
                    message(event);
                    curves.computeIfAbsent("START", _ -> new TreeMap<>()).put(step, 0f);
                }
                case 5 << 3 | 2 -> {
                    ByteBuffer summary = message(event);
                    while (summary.hasRemaining()) {
                        assertThat(varint(summary)).isEqualTo(1 << 3 | 2);
                        ByteBuffer value = message(summary);
                        assertThat(varint(value)).isEqualTo(1 << 3 | 2);
                        String tag =
                                StandardCharsets.UTF_8.decode(message(value)).toString();
                        assertThat(varint(value)).isEqualTo(2 << 3 | 5);
                        curves.computeIfAbsent(tag, _ -> new TreeMap<>()).put(step, value.getFloat());
                    }
                }
                default -> throw new AssertionError("unknown field");
            }
        }
    }

    private static ByteBuffer message(ByteBuffer in) {
        int length = (int) varint(in);
        ByteBuffer message = in.slice(in.position(), length).order(ByteOrder.LITTLE_ENDIAN);
        in.position(in.position() + length);
        return message;
    }

    private static long varint(ByteBuffer in) {
        long value = 0;
        for (int shift = 0; ; shift += 7) {
            byte next = in.get();
            value |= (long) (next & 0x7F) << shift;
            if (next >= 0) {
                return value;
            }
        }
    }
}
