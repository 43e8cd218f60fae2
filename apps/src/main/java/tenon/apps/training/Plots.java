package tenon.apps.training;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import tenon.apps.pictures.TrainingChart;
import tenon.apps.pictures.TrainingChart.Curve;
import tenon.optim.train.History;
import tenon.optim.train.Metric;

/** Charts of a history. */
public final class Plots {
    private Plots() {}

    /** Train and validation loss and accuracy in one figure. */
    public static void training(Path file, String title, History history) throws IOException {
        TrainingChart.write(
                file,
                title,
                Stream.of(
                                curve("train_loss", history, Metric.LOSS),
                                curve("val_loss", history, Metric.VALIDATION_LOSS),
                                curve("train_acc", history, Metric.ACCURACY),
                                curve("val_acc", history, Metric.VALIDATION_ACCURACY))
                        .flatMap(List::stream)
                        .toList());
    }

    /** Train and validation accuracy, as the early-stopping article draws them. */
    public static void accuracy(Path file, History history) throws IOException {
        TrainingChart.write(
                file,
                "Accuracy",
                "training epoch",
                "share of correct answers",
                Stream.of(
                                curve("share of correct answers on the training set", history, Metric.ACCURACY),
                                curve(
                                        "share of correct answers on the validation set",
                                        history,
                                        Metric.VALIDATION_ACCURACY))
                        .flatMap(List::stream)
                        .toList());
    }

    /** Empty for what was never measured, such as validation without validation data. */
    private static List<Curve> curve(String name, History history, Metric metric) {
        return history.has(metric)
                ? List.of(new Curve(
                        name, Arrays.stream(history.values(metric)).boxed().toList()))
                : List.of();
    }
}
