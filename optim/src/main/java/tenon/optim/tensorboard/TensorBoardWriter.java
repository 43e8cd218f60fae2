package tenon.optim.tensorboard;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.DoubleSupplier;
import tenon.optim.train.Callback;
import tenon.optim.train.EpochRecord;
import tenon.optim.train.Progress;
import tenon.optim.train.StepWindow;
import tenon.optim.train.Trainer;

/**
 * Writes a run's curves for TensorBoard, by number of updates: {@code step/…} means over the last few steps, {@code loss/train}, {@code loss/val}, {@code rank-1/…}
 * and {@code rank-5/…} once an epoch. A resumed run begins a further file, which takes back what the earlier ones say of the steps that are done again.
 */
public final class TensorBoardWriter implements Callback, AutoCloseable {
    private final Path folder;
    private final StepWindow window;
    private final DoubleSupplier clock;
    private EventFile file;

    /**
     * @param folder of the run's event files
     * @param every steps per point of the {@code step/…} curves
     */
    public TensorBoardWriter(Path folder, int every) {
        this(folder, every, () -> System.currentTimeMillis() / 1000.0);
    }

    /** @param wallSeconds tells the time, in seconds since 1970 */
    TensorBoardWriter(Path folder, int every, DoubleSupplier wallSeconds) {
        this.folder = folder;
        this.window = new StepWindow(every);
        this.clock = wallSeconds;
    }

    @Override
    public void onTrainBegin(Trainer trainer, int epochs) {
        if (file == null) {
            file = EventFile.create(folder, clock.getAsDouble());
            if (trainer.step() > 0) {
                file.restart(clock.getAsDouble(), trainer.step() + 1);
            }
        }
        window.begin();
    }

    @Override
    public void onStepEnd(Trainer trainer, Progress progress) {
        if (window.add(trainer, progress)) {
            Map<String, Double> values = new LinkedHashMap<>();
            put(values, "step/loss", window.loss());
            put(values, "step/rank-1", window.accuracy());
            put(values, "step/rank-5", window.accuracy5());
            put(values, "step/learning-rate", progress.rate());
            put(values, "step/images-per-second", progress.imagesPerSecond());
            file.scalars(clock.getAsDouble(), progress.step(), values);
        }
    }

    @Override
    public void onEpochEnd(Trainer trainer, EpochRecord epoch) {
        Map<String, Double> values = new LinkedHashMap<>();
        put(values, "loss/train", epoch.loss());
        put(values, "loss/val", epoch.validationLoss());
        put(values, "rank-1/train", epoch.accuracy());
        put(values, "rank-1/val", epoch.validationAccuracy());
        put(values, "rank-5/train", epoch.accuracy5());
        put(values, "rank-5/val", epoch.validationAccuracy5());
        put(values, "epoch/number", epoch.epoch());
        put(values, "epoch/seconds", epoch.seconds());
        file.scalars(clock.getAsDouble(), epoch.step(), values);
    }

    /** What was not measured is left out. */
    private static void put(Map<String, Double> values, String tag, double value) {
        if (!Double.isNaN(value)) {
            values.put(tag, value);
        }
    }

    @Override
    public void close() {
        if (file != null) {
            file.close();
            file = null;
        }
    }
}
