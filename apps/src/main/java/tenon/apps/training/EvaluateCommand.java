package tenon.apps.training;

import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import tenon.apps.cli.ComputeOptions;
import tenon.apps.cli.ComputeSettings;
import tenon.apps.cli.Console;
import tenon.apps.cli.TenonCommand;
import tenon.apps.cli.UsageException;
import tenon.engine.Scope;
import tenon.engine.backend.Backend;
import tenon.io.data.RecordBatchSource;
import tenon.optim.metrics.ClassificationReport;
import tenon.optim.metrics.Evaluation;
import tenon.optim.train.Evaluator;
import tenon.optim.train.Loss;

/** {@code tenon evaluate}: how good a trained network is on other pictures. */
@Command(
        name = "evaluate",
        description =
                "Measures a trained network on a record file or a folder of class folders: rank-1 and rank-5 accuracy,"
                        + " loss, precision and recall per class, confusion matrix.",
        footerHeading = "%nExample:%n",
        footer = "  ./tenon evaluate output/quickstart --data output/quickstart/data/test.trec")
public final class EvaluateCommand extends TenonCommand {
    @Parameters(
            paramLabel = "CHECKPOINT",
            description = "Folder of a training run or of one checkpoint, or a model file.")
    private Path checkpoint;

    @Option(
            names = "--data",
            paramLabel = "PATH",
            required = true,
            description = "Record file, or folder of class folders.")
    private Path data;

    @Option(
            names = "--batch",
            paramLabel = "N",
            defaultValue = "100",
            description = "Pictures at a time. Default: ${DEFAULT-VALUE}.")
    private int batch;

    @Mixin
    private ComputeOptions compute;

    @Override
    protected Map<String, ?> run(Console console) throws IOException {
        if (batch < 1) {
            throw new UsageException("--batch must be at least 1: " + batch);
        }
        ComputeSettings settings = compute.settings();
        try (Backend backend = settings.open();
                Scope _ = Scope.open("model", backend)) {
            Classifier trained = SavedModel.read(checkpoint);
            trained.network().computeIn(settings.precision(backend, console));
            Classifier classifier = trained.forInference();
            try (PictureData pictures = PictureData.open(data, classifier, classifier.classNames(), console)) {
                return report(classifier, evaluate(classifier, pictures), console);
            }
        }
    }

    private Evaluation evaluate(Classifier classifier, PictureData pictures) {
        List<String> names = pictures.records().schema().classNames();
        if (!names.equals(classifier.classNames())) {
            throw new UsageException("--data must have the classes that the network was trained on: " + names + " in "
                    + data + ", the network knows " + classifier.classNames());
        }
        try (RecordBatchSource source = pictures.views(classifier, batch)) {
            return Evaluator.evaluate(classifier.network(), Loss.crossEntropy(), source);
        }
    }

    private Map<String, Object> report(Classifier classifier, Evaluation evaluation, Console console) {
        ClassificationReport report = ClassificationReport.of(evaluation.confusion(), classifier.classNames());
        console.print(report.toString());
        console.print(ConfusionText.of(evaluation.confusion(), classifier.classNames()));
        console.print("");
        console.print(
                "%d pictures: rank-1 %.2f %%, rank-5 %.2f %%, loss %.4f",
                evaluation.samples(), 100 * evaluation.rank1(), 100 * evaluation.rank5(), evaluation.loss());
        Map<String, Object> values = new LinkedHashMap<>();
        values.put("checkpoint", checkpoint.toString());
        values.put("samples", evaluation.samples());
        values.put("rank1", evaluation.rank1());
        values.put("rank5", evaluation.rank5());
        values.put("loss", evaluation.loss());
        values.put("classes", report.rows());
        return values;
    }
}
