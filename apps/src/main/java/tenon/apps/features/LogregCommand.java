package tenon.apps.features;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import tenon.apps.cli.ComputeOptions;
import tenon.apps.cli.ComputeSettings;
import tenon.apps.cli.Console;
import tenon.apps.cli.ProgressBar;
import tenon.apps.cli.TenonCommand;
import tenon.apps.cli.UsageException;
import tenon.apps.experiments.FeatureExperiment;
import tenon.engine.Scope;
import tenon.engine.Tensor;
import tenon.engine.backend.Backend;
import tenon.io.record.FeatureTable;
import tenon.io.sets.StratifiedSplit;
import tenon.optim.logistic.GridSearch;
import tenon.optim.logistic.LogisticModel;
import tenon.optim.logistic.LogisticOptions;
import tenon.optim.logistic.LogisticRegression;
import tenon.optim.metrics.ClassificationReport;
import tenon.optim.metrics.ConfusionMatrix;

/** {@code tenon logreg}: a linear classifier on features. */
@Command(
        name = "logreg",
        description = {
            "Fits logistic regression to a file of features (./tenon features): the strength C of the inverse penalty"
                + " is chosen by stratified cross-validation, the best is fitted to all training rows, and its report"
                + " on the rest is printed.",
            "The objective, 1/2 |w|^2 + C sum(loss), is convex and minimized by L-BFGS: the result depends on no start"
                    + " and no luck."
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  ./tenon logreg features.trec --out classifier.safetensors",
            "  ./tenon logreg features.trec --experiment resnet50-features-1",
            "  ./tenon logreg train.trec --test test.trec --c 0.001,0.01,0.1 --folds 5",
            "  ./tenon logreg test.trec --model classifier.safetensors      (only evaluate)"
        })
public final class LogregCommand extends TenonCommand {
    @Parameters(paramLabel = "FEATURES", arity = "1..*", description = "Record files of features.")
    private List<Path> files;

    @Option(
            names = "--c",
            paramLabel = "C",
            split = ",",
            description = "Candidates, separated by commas. Default: 0.0001,0.001,0.01,0.1,1.")
    private double[] candidates;

    @Option(names = "--folds", paramLabel = "K", description = "Folds of the cross-validation. Default: 3.")
    private Integer folds;

    @Option(
            names = "--test",
            paramLabel = "FILE",
            description = "Features to report on, instead of a part of FEATURES.")
    private Path test;

    @Option(
            names = "--test-share",
            paramLabel = "S",
            description = "Share of FEATURES to keep for the report, stratified, drawn by --seed. Default: 0.25.")
    private Double testShare;

    @Option(
            names = "--in-order",
            description = "Keep the last rows of FEATURES for the report, instead of drawing them.")
    private boolean inOrder;

    @Option(
            names = "--experiment",
            paramLabel = "NAME",
            description = "Repeat this experiment: candidates, folds, rows held out in order, penalty. Options that are"
                    + " given override it; ./tenon experiments lists all.")
    private String experiment;

    @Option(
            names = "--penalize-intercept",
            description = "Let the penalty hold the intercept down too, as LIBLINEAR does.")
    private boolean penalizeIntercept;

    @Option(names = "--out", paramLabel = "FILE", description = "Write the classifier (safetensors).")
    private Path out;

    @Option(names = "--model", paramLabel = "FILE", description = "Only report on FEATURES with this classifier.")
    private Path model;

    @Mixin
    private ComputeOptions compute;

    @Override
    protected Map<String, ?> run(Console console) throws IOException {
        FeatureExperiment repeated = experiment == null ? null : FeatureExperiment.find(experiment);
        choose(repeated);
        check();
        ComputeSettings settings = compute.settingsOfOneDevice();
        FeatureTable all = FeatureTable.read(files);
        if (all.rows() == 0) {
            throw new UsageException("FEATURES hold no rows: " + files);
        }
        try (Backend backend = settings.open();
                Scope _ = Scope.open("features", backend)) {
            if (model != null) {
                LogisticFile file = LogisticFile.read(model, backend);
                requireSame("--model", file.model().features(), file.classNames(), all);
                return report(file.model(), all, new LinkedHashMap<>(), console);
            }
            Map<String, Object> result = fit(all, settings, backend, console);
            if (repeated != null) {
                console.print(
                        "Published (%s): C = %s, %.2f %%",
                        repeated.name(), number(repeated.best()), repeated.published());
                result.put("experiment", repeated.name());
                result.put("published", repeated.published());
            }
            return result;
        }
    }

    /** Settles what the command line leaves open. */
    private void choose(FeatureExperiment repeated) {
        if (repeated != null) {
            candidates = candidates != null
                    ? candidates
                    : repeated.candidates().stream()
                            .mapToDouble(Double::doubleValue)
                            .toArray();
            folds = folds != null ? folds : Integer.valueOf(repeated.folds());
            testShare = testShare != null ? testShare : Double.valueOf(repeated.testShare());
            inOrder = true;
            penalizeIntercept |= repeated.penalizesIntercept();
        }
        candidates = candidates != null ? candidates : new double[] {0.0001, 0.001, 0.01, 0.1, 1};
        folds = folds != null ? folds : Integer.valueOf(3);
        testShare = testShare != null ? testShare : Double.valueOf(0.25);
    }

    private void check() {
        if (folds < 2) {
            throw new UsageException("--folds must be at least 2: " + folds);
        }
        if (!(testShare > 0 && testShare < 1)) {
            throw new UsageException("--test-share must lie between 0 and 1: " + testShare);
        }
        for (double c : candidates) {
            if (!(c > 0) || !Double.isFinite(c)) {
                throw new UsageException("--c must be positive: " + c);
            }
        }
        if (model != null && (out != null || test != null || experiment != null)) {
            throw new UsageException("--model only evaluates: it goes without --out, --test and --experiment");
        }
        if (test != null && inOrder) {
            throw new UsageException(
                    "--test names the rows for the report: it goes without --in-order and --experiment");
        }
    }

    private Map<String, Object> fit(FeatureTable all, ComputeSettings settings, Backend backend, Console console)
            throws IOException {
        FeatureTable training = all;
        FeatureTable held;
        if (test != null) {
            held = FeatureTable.read(List.of(test));
            requireSame("--test", held.width(), held.classNames(), all);
        } else if (inOrder) {
            int count = requireSome((int) (all.rows() * (1 - testShare)), all);
            training = all.select(IntStream.range(0, count).toArray());
            held = all.select(IntStream.range(count, all.rows()).toArray());
        } else {
            int count = requireSome((int) Math.round(all.rows() * testShare), all);
            StratifiedSplit split =
                    StratifiedSplit.of(all.labels(), all.classNames().size(), count, settings.seed());
            training = all.select(split.rest());
            held = all.select(split.drawn());
        }
        Map<String, Object> result = new LinkedHashMap<>();
        GridSearch.Result search = search(training, console);
        List<Map<String, Object>> table = new ArrayList<>();
        console.print("%-10s %-10s accuracy on each fold", "C", "mean");
        for (GridSearch.Candidate candidate : search.candidates()) {
            console.print(
                    "%-10s %-10.4f %s",
                    number(candidate.c()),
                    candidate.mean(),
                    DoubleStream.of(candidate.accuracies())
                            .mapToObj(a -> String.format(Locale.ROOT, "%.4f", a))
                            .toList());
            table.add(Map.of("c", candidate.c(), "mean", candidate.mean(), "folds", candidate.accuracies()));
        }
        console.print(
                "Best: C = %s, fitted to %d rows in %d iterations, |w|^2 = %.4g%s",
                number(search.best().c()),
                training.rows(),
                search.fit().iterations(),
                search.fit().model().squaredNorm(),
                search.fit().converged() ? "" : " (not to the wanted precision)");
        if (!search.fit().converged()) {
            console.warn("the fit did not reach the wanted precision: the features may be badly scaled");
        }
        LogisticModel fitted = search.fit().model();
        if (out != null) {
            new LogisticFile(fitted, search.best().c(), all.classNames()).write(out, backend);
            console.print("Written to %s", out);
            result.put("file", out.toString());
        }
        result.put("candidates", table);
        result.put("c", search.best().c());
        result.put("objective", search.fit().objective());
        result.put("squared_norm", fitted.squaredNorm());
        result.put("converged", search.fit().converged());
        return report(fitted, held, result, console);
    }

    private int requireSome(int count, FeatureTable all) {
        if (count < 1 || count >= all.rows()) {
            throw new UsageException("--test-share leaves nothing: rows=" + all.rows() + ", share=" + testShare);
        }
        return count;
    }

    private GridSearch.Result search(FeatureTable training, Console console) {
        int classes = training.classNames().size();
        ProgressBar bar = new ProgressBar(console, (long) candidates.length * folds + 1, "fits");
        try (LogisticRegression problem = new LogisticRegression(
                Tensor.of(training.values(), training.rows(), training.width()), training.labels(), classes)) {
            GridSearch.Result result = GridSearch.search(
                    problem,
                    training.labels(),
                    candidates,
                    folds,
                    LogisticOptions.of(candidates[0]).withPenalizedIntercept(penalizeIntercept),
                    (done, _) -> bar.update(done, "tuning"));
            bar.finish("tuned");
            return result;
        }
    }

    private Map<String, Object> report(
            LogisticModel fitted, FeatureTable rows, Map<String, Object> result, Console console) {
        ConfusionMatrix confusion = new ConfusionMatrix(fitted.classes());
        int right = 0;
        try (LogisticRegression problem = new LogisticRegression(
                Tensor.of(rows.values(), rows.rows(), rows.width()), rows.labels(), fitted.classes())) {
            int[] predicted = problem.predict(fitted);
            for (int i = 0; i < predicted.length; i++) {
                confusion.add(rows.labels()[i], predicted[i]);
                right += predicted[i] == rows.labels()[i] ? 1 : 0;
            }
        }
        double accuracy = (double) right / rows.rows();
        ClassificationReport report = ClassificationReport.of(confusion, rows.classNames());
        console.print(report.toString());
        console.print("score: %.4f (%d of %d)", accuracy, right, rows.rows());
        result.put("rows", rows.rows());
        result.put("accuracy", accuracy);
        result.put("classes", report.rows());
        return result;
    }

    private static void requireSame(String option, int width, List<String> names, FeatureTable all) {
        if (width != all.width() || !names.equals(all.classNames())) {
            throw new UsageException(option + " must be of the same features and classes as FEATURES: " + width
                    + " features and " + names + ", FEATURES: " + all.width() + " and " + all.classNames());
        }
    }

    private static String number(double value) {
        return Double.toString(value);
    }
}
