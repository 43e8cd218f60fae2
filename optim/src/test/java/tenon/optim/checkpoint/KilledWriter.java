package tenon.optim.checkpoint;

import java.nio.file.Path;
import java.util.Map;
import java.util.Random;
import tenon.optim.checkpoint.CheckpointStore.Part;

/** A process that saves checkpoints until it is killed: prints {@code saving step} before and {@code saved step} after each. */
final class KilledWriter {
    private KilledWriter() {}

    public static void main(String[] args) {
        CheckpointStore store = CheckpointStore.open(Path.of(args[0]), 2);
        for (long step = Long.parseLong(args[1]); ; step++) {
            System.out.println("saving " + step);
            System.out.flush();
            store.save(0, step, false, Map.of("data.bin", Part.of(contents(step))));
            System.out.println("saved " + step);
            System.out.flush();
        }
    }

    static byte[] contents(long step) {
        byte[] bytes = new byte[1 << 20];
        new Random(step).nextBytes(bytes);
        return bytes;
    }
}
