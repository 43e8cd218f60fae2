package tenon.apps.training;

import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import tenon.apps.cli.Console;
import tenon.apps.cli.UsageException;
import tenon.optim.metrics.Evaluation;

/** What {@code train --evaluate-only} does: measures the weights that a run begins with, on pictures of the classes that they were trained for. */
final class Measurement {
    private Measurement() {}

    /** @return what {@code --json} prints */
    static Map<String, Object> of(TrainingRun run, Console console) throws IOException {
        checkComplete(run);
        if (!run.config().data().train().isSynthetic()) {
            checkClasses(run.config(), console);
        }
        Evaluation evaluation = run.evaluate(run.config().data().validation());
        console.print(
                "%d pictures: rank-1 %.2f %%, rank-5 %.2f %%, loss %.4f",
                evaluation.samples(), 100 * evaluation.rank1(), 100 * evaluation.rank5(), evaluation.loss());
        Map<String, Object> values = new LinkedHashMap<>();
        values.put("samples", evaluation.samples());
        values.put("rank1", evaluation.rank1());
        values.put("rank5", evaluation.rank5());
        values.put("loss", evaluation.loss());
        return values;
    }

    private static void checkComplete(TrainingRun run) {
        List<String> initialized = run.loaded().initialized();
        if (!initialized.isEmpty()) {
            throw new UsageException("--evaluate-only needs weights of the whole network for the data's "
                    + run.config().network().classes() + " classes: "
                    + run.config().start().weights() + " has none for " + String.join(", ", initialized)
                    + " (train without --evaluate-only to fit the last layer to these classes)");
        }
    }

    private static void checkClasses(RunConfig config, Console console) throws IOException {
        String weights = config.start().weights();
        List<String> names = SavedModel.classNames(Path.of(weights));
        List<String> wanted = config.data().classNames();
        if (names.equals(wanted)) {
            return;
        }
        if (!names.isEmpty() && !areNumbers(names)) {
            throw new UsageException("--evaluate-only needs data of the classes that the weights were trained on: "
                    + DataFeed.shortened(wanted) + " in the data, " + DataFeed.shortened(names) + " in " + weights);
        }
        console.warn(weights + " does not name its classes: they are taken to be the data's, in the data's order");
    }

    /** Such as a model file has that was made of another program's. */
    private static boolean areNumbers(List<String> names) {
        return IntStream.range(0, names.size()).allMatch(i -> names.get(i).equals(Integer.toString(i)));
    }
}
