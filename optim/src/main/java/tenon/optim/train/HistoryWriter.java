package tenon.optim.train;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import tenon.optim.checkpoint.AtomicFiles;

/**
 * Rewrites {@code history.json} and {@code history.csv} in a folder at the end of every epoch, and at the start of a training that goes on: the files may
 * be of epochs that were given up, or lack one that ended in a crash.
 */
public final class HistoryWriter implements Callback {
    private final Path json;
    private final Path csv;

    /** @param folder must exist */
    public HistoryWriter(Path folder) {
        json = folder.resolve("history.json");
        csv = folder.resolve("history.csv");
    }

    @Override
    public void onTrainBegin(Trainer trainer, int epochs) {
        if (!trainer.history().epochs().isEmpty() || Files.exists(json)) {
            write(trainer.history());
        }
    }

    @Override
    public void onEpochEnd(Trainer trainer, EpochRecord epoch) {
        write(trainer.history());
    }

    public void write(History history) {
        AtomicFiles.replace(json, (history.toJson() + "\n").getBytes(StandardCharsets.UTF_8));
        AtomicFiles.replace(csv, history.toCsv().getBytes(StandardCharsets.UTF_8));
    }
}
