package tenon.apps.training;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
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
import tenon.engine.Precision;
import tenon.engine.Scope;
import tenon.engine.TenonException;
import tenon.engine.backend.Backend;
import tenon.io.data.RecordBatchSource;
import tenon.optim.metrics.ClassificationReport;
import tenon.optim.metrics.Evaluation;
import tenon.optim.train.EvaluationListener;
import tenon.optim.train.Evaluator;
import tenon.optim.train.Loss;
import tenon.optim.train.TrainingPosition;

/** {@code tenon evaluate}: how good a trained network is on other pictures. */
@Command(
        name = "evaluate",
        description =
                "Measures a trained network on a record file or a folder of class folders: rank-1 and rank-5 accuracy,"
                        + " loss, precision and recall per class, confusion matrix; on demand from ten crops of each"
                        + " picture, with the worst mistakes drawn and all predictions in a table. Figures of a run are"
                        + " kept in its folder (evaluations.json), where ./tenon experiments finds them.",
        footerHeading = "%nExample:%n",
        footer = {
            "  ./tenon evaluate output/quickstart --data output/quickstart/data/test.trec",
            "  ./tenon evaluate output/alexnet --data imagenet/test.trec --crops 1,10"
        })
public final class EvaluateCommand extends TenonCommand {
    /** With more classes, the confusion matrix as text does not fit a terminal. */
    private static final int MOST_IN_TABLE = 30;

    private static final int MOST_CONFUSED = 10;

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

    @Option(
            names = "--crops",
            paramLabel = "N",
            split = ",",
            defaultValue = "1",
            description =
                    "Views of each picture whose probabilities are averaged: 1; 5, the corners and the centre; 10,"
                        + " these and their mirror images. Several, such as 1,10, are printed beside each other, the"
                        + " report is of the last. Default: ${DEFAULT-VALUE}.")
    private List<Integer> crops;

    @Option(
            names = "--resize",
            paramLabel = "N",
            description = "Scale pictures so that their shorter side is N, then crop (default: crop them as stored).")
    private Integer resize;

    @Mixin
    private EvaluationOutputs outputs;

    @Mixin
    private ComputeOptions compute;

    @Override
    protected Map<String, ?> run(Console console) throws IOException {
        if (batch < 1) {
            throw new UsageException("--batch must be at least 1: " + batch);
        }
        outputs.check();
        List<Views> views =
                crops.stream().map(count -> new Views(count, resize)).toList();
        ComputeSettings settings = compute.settingsOfOneDevice();
        try (Backend backend = settings.open();
                Scope _ = Scope.open("model", backend)) {
            Path measured = SavedModel.checkpoint(checkpoint);
            Classifier trained = SavedModel.read(measured);
            Precision precision = settings.precision(backend, console);
            trained.network().computeIn(precision);
            Classifier classifier = trained.forInference();
            try (PictureData pictures =
                    PictureData.open(data, classifier, classifier.classNames(), resize != null, console)) {
                checkClasses(classifier, pictures);
                NetworkSpec spec = classifier.spec();
                for (Views each : views) {
                    each.check(
                            spec, classifier.augmentation(), pictures.records().schema());
                }
                if (views.contains(Views.ONE)) {
                    pictures.warnIfSquashed(classifier, checkpoint, console);
                }
                EvaluationNotes notes = outputs.notes(pictures.records());
                List<Evaluation> evaluations = new ArrayList<>();
                for (int i = 0; i < views.size(); i++) {
                    boolean last = i == views.size() - 1;
                    evaluations.add(evaluate(classifier, pictures, views.get(i), last ? notes : (_, _) -> {}));
                }
                Map<String, Object> values = report(classifier, views, evaluations, console);
                if (Files.isDirectory(checkpoint)) {
                    log(measured, pictures, Arithmetic.of(precision, settings), views, evaluations, console);
                }
                values.putAll(outputs.write(
                        checkpoint, pictures.records(), evaluations.getLast().confusion(), notes, console));
                return values;
            }
        }
    }

    /** What figures of one checkpoint on the same pictures may differ by. */
    private record Arithmetic(String precision, String device) {
        static Arithmetic of(Precision precision, ComputeSettings settings) {
            return new Arithmetic(
                    precision == Precision.FP32 && settings.tf32() ? "tf32" : precision.toString(),
                    settings.device().split(":")[0]);
        }
    }

    /** Runs that may only be read can be measured all the same. */
    private void log(
            Path measured,
            PictureData pictures,
            Arithmetic arithmetic,
            List<Views> views,
            List<Evaluation> evaluations,
            Console console) {
        Path run = RunFolder.around(measured).folder();
        String now = Instant.now().truncatedTo(ChronoUnit.SECONDS).toString();
        List<EvaluationLog.Entry> entries = new ArrayList<>();
        try {
            int epoch = TrainingPosition.read(measured).epoch();
            for (int i = 0; i < views.size(); i++) {
                Evaluation evaluation = evaluations.get(i);
                entries.add(new EvaluationLog.Entry(
                        run.relativize(measured.toAbsolutePath().normalize()).toString(),
                        epoch,
                        data.toAbsolutePath().normalize().toString(),
                        pictures.records().schema().split(),
                        views.get(i).crops(),
                        views.get(i).shortSide(),
                        arithmetic.precision(),
                        arithmetic.device(),
                        evaluation.samples(),
                        evaluation.rank1(),
                        evaluation.rank5(),
                        evaluation.loss(),
                        now));
            }
            console.print("Figures:     %s", EvaluationLog.add(run, entries));
        } catch (IOException | TenonException e) {
            console.warn("the figures are not kept for ./tenon experiments: " + e.getMessage());
        }
    }

    private void checkClasses(Classifier classifier, PictureData pictures) {
        List<String> names = pictures.records().schema().classNames();
        if (!names.equals(classifier.classNames())) {
            throw new UsageException("--data must have the classes that the network was trained on: " + names + " in "
                    + data + ", the network knows " + classifier.classNames());
        }
    }

    private Evaluation evaluate(Classifier classifier, PictureData pictures, Views views, EvaluationListener listener) {
        try (RecordBatchSource source = pictures.views(classifier, views, Math.ceilDiv(batch, views.crops()))) {
            return Evaluator.evaluate(views.over(classifier.network()), Loss.crossEntropy(), source, listener);
        }
    }

    private Map<String, Object> report(
            Classifier classifier, List<Views> views, List<Evaluation> evaluations, Console console) {
        Evaluation last = evaluations.getLast();
        ClassificationReport report = ClassificationReport.of(last.confusion(), classifier.classNames());
        console.print(report.toString());
        List<Confusion> confusions = Confusion.most(last.confusion(), classifier.classNames(), MOST_CONFUSED);
        if (classifier.classNames().size() <= MOST_IN_TABLE) {
            console.print(ConfusionText.of(last.confusion(), classifier.classNames()));
        } else {
            console.print("Most frequent confusions:");
            confusions.forEach(each -> console.print(
                    "%8d times %s for %s (%.1f %% of its pictures)",
                    each.count(), each.truth(), each.predicted(), 100 * each.share()));
        }
        console.print("");
        List<Map<String, Object>> byCrops = new ArrayList<>();
        for (int i = 0; i < views.size(); i++) {
            Evaluation evaluation = evaluations.get(i);
            console.print(
                    "%d pictures%s: rank-1 %.2f %%, rank-5 %.2f %%, loss %.4f",
                    evaluation.samples(),
                    crops.equals(List.of(1)) ? "" : ", " + views.get(i).description(),
                    100 * evaluation.rank1(),
                    100 * evaluation.rank5(),
                    evaluation.loss());
            Map<String, Object> values = new LinkedHashMap<>();
            values.put("crops", views.get(i).crops());
            addResult(values, evaluation);
            byCrops.add(values);
        }
        Map<String, Object> values = new LinkedHashMap<>();
        values.put("checkpoint", checkpoint.toString());
        values.put("samples", last.samples());
        addResult(values, last);
        values.put("crops", byCrops);
        values.put("classes", report.rows());
        values.put("confusions", confusions);
        return values;
    }

    private static void addResult(Map<String, Object> values, Evaluation evaluation) {
        values.put("rank1", evaluation.rank1());
        values.put("rank5", evaluation.rank5());
        values.put("loss", evaluation.loss());
    }
}
