package tenon.optim.tensorboard;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EventFileTest {
    /** Frame by frame: length, its masked CRC, message, its masked CRC. */
    private static final String VERSION = "1800000000000000 a37f4b22"
            + " 09 000000000000f83f" // wall time 1.5
            + " 1a 0d 627261696e2e4576656e743a32" // brain.Event:2
            + " 2a28646c";

    private static final String RESTART = "1000000000000000 95fbfe18"
            + " 09 0000000000000040" // 2.0
            + " 10 ac02" // step 300
            + " 3a 02 08 01" // session log: START
            + " 1292da01";
    private static final String SCALARS = "3400000000000000 5e33175c"
            + " 09 0000000000000440" // 2.5
            + " 10 ad02" // step 301
            + " 2a 26"
            + " 0a 11 0a 0a 6c6f73732f747261696e 15 0000803e" // loss/train 0.25
            + " 0a 11 0a 0a 72616e6b2d312f76616c 15 000000c0" // rank-1/val -2
            + " b31b7653";

    @TempDir
    private Path folder;

    @Test
    void writesTheFormatByteForByte() throws IOException {
        Map<String, Double> values = new LinkedHashMap<>();
        values.put("loss/train", 0.25);
        values.put("rank-1/val", -2.0);
        Path path;
        try (EventFile file = EventFile.create(folder.resolve("new"), 1.5)) {
            file.restart(2, 300);
            file.scalars(2.5, 301, values);
            path = file.path();
        }
        assertThat(path.getFileName()).hasToString("events.out.tfevents.0000000001.tenon.000");
        assertThat(HexFormat.of().formatHex(Files.readAllBytes(path)))
                .isEqualTo((VERSION + RESTART + SCALARS).replace(" ", ""));
    }

    @Test
    void filesOfOneSecondAreToldApartAndSortInTheirOrder() {
        try (EventFile first = EventFile.create(folder, 1764123456.25);
                EventFile second = EventFile.create(folder, 1764123456.75)) {
            assertThat(first.path().getFileName()).hasToString("events.out.tfevents.1764123456.tenon.000");
            assertThat(second.path().getFileName()).hasToString("events.out.tfevents.1764123456.tenon.001");
        }
    }

    @Test
    void numbersNeedAsManyBytesAsTheyHaveGroupsOfSevenBits() {
        HexFormat hex = HexFormat.of();
        assertThat(hex.formatHex(new ProtobufMessage().int64(2, 0).toBytes())).isEqualTo("1000");
        assertThat(hex.formatHex(new ProtobufMessage().int64(2, 127).toBytes())).isEqualTo("107f");
        assertThat(hex.formatHex(new ProtobufMessage().int64(2, 128).toBytes())).isEqualTo("108001");
        assertThat(hex.formatHex(new ProtobufMessage().int64(16, -1).toBytes())).isEqualTo("8001ffffffffffffffffff01");
        assertThat(hex.formatHex(new ProtobufMessage().text(1, "ä").toBytes())).isEqualTo("0a02c3a4");
    }
}
