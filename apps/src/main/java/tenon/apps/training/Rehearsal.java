package tenon.apps.training;

import java.util.LinkedHashMap;
import java.util.Map;
import tenon.apps.cli.Console;
import tenon.apps.cli.Decimals;
import tenon.engine.backend.Backend;
import tenon.layers.Module;
import tenon.optim.train.Trainer;

/** Says what a run will be, after two steps that left nothing behind: {@code tenon train --dry-run}. */
final class Rehearsal {
    private Rehearsal() {}

    static Map<String, Object> report(
            RunConfig config, Module network, Trainer trainer, Backend backend, Console console) {
        int stepsPerEpoch = trainer.stepsPerEpoch();
        var schedule = config.schedule().schedule(stepsPerEpoch, config.epochs());
        long steps = (long) stepsPerEpoch * config.epochs();
        double megabytes = backend.allocator().statistics().liveBytes() / 1e6
                + backend.allocator().statistics().cachedBytes() / 1e6;
        console.print(
                "%s for pictures of %dx%dx%d and %d classes: %,d parameters, %,d of them trainable",
                config.network().kind(),
                config.network().height(),
                config.network().width(),
                config.network().channels(),
                config.network().classes(),
                network.parameterCount(),
                network.trainableCount());
        console.print(
                "%,d pictures in batches of %d, %d to an update: %,d updates an epoch, %,d in %d epochs; %,d pictures"
                        + " to judge by",
                config.data().train().size(),
                config.batchSize(),
                config.batchesPerStep(),
                stepsPerEpoch,
                steps,
                config.epochs(),
                config.data().validation().size());
        console.print("Optimizer: %s", trainer.optimizer().settings());
        console.print(
                "Rate: %s at first, %s after half of the epochs, %s at the end",
                rate(schedule.rate(0)), rate(schedule.rate(steps / 2)), rate(schedule.rate(steps - 1)));
        console.print("Memory: %.0f MB after %d updates; nothing was written", megabytes, trainer.step());
        Map<String, Object> values = new LinkedHashMap<>();
        values.put("parameters", network.parameterCount());
        values.put("trainable", network.trainableCount());
        values.put("steps_per_epoch", stepsPerEpoch);
        values.put("steps", steps);
        values.put("memory_mb", Math.round(10 * megabytes) / 10.0);
        return values;
    }

    private static String rate(double value) {
        return Decimals.rounded(value, 3);
    }
}
