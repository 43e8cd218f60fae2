package tenon.apps.experiments;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import tenon.apps.cli.Console;
import tenon.apps.cli.Decimals;
import tenon.apps.cli.TenonCommand;
import tenon.apps.training.EvaluationLog;
import tenon.apps.training.NetworkSpec;
import tenon.apps.training.NetworkVariant;
import tenon.apps.training.OptimizerSpec;

/** {@code tenon experiments}: what was trained how, what it reached, and what runs here have reached. */
@Command(
        name = "experiments",
        description = {
            "Lists the course's experiments: network, data, optimizer, learning rates by epoch, what the original"
                    + " reached, and what runs of one's own have reached: validation after the last epoch, and the best"
                    + " where it was another; what ./tenon evaluate measured of their checkpoints."
        },
        footerHeading = "%nExample:%n",
        footer = "  ./tenon experiments alexnet")
public final class ExperimentsCommand extends TenonCommand {
    private static final ObjectMapper JSON = new ObjectMapper();

    @Parameters(
            paramLabel = "NETWORK",
            arity = "0..1",
            description = "Only this network's; one of ${COMPLETION-CANDIDATES}.")
    private NetworkSpec.Kind network;

    @Option(
            names = "--runs",
            paramLabel = "DIR",
            defaultValue = "output",
            description = "Folder below which runs of one's own are looked for. Default: ${DEFAULT-VALUE}.")
    private Path runs;

    @Override
    protected Map<String, ?> run(Console console) throws IOException {
        List<Experiment> chosen = network == null ? Experiments.all() : Experiments.of(network);
        List<FeatureExperiment> features = FeatureExperiment.all().stream()
                .filter(experiment -> network == null || experiment.network() == network)
                .toList();
        if (chosen.isEmpty() && features.isEmpty()) {
            console.print("The course trains no %s: there is no experiment", network);
        }
        List<OwnResult> own = OwnResult.below(runs);
        List<Map<String, Object>> rows = new ArrayList<>();
        for (Experiment experiment : chosen) {
            List<OwnResult> results = own.stream()
                    .filter(result -> result.experiment().equals(experiment.name()))
                    .toList();
            console.print(text(experiment, results));
            rows.add(values(experiment, results));
        }
        features.forEach(experiment -> console.print(text(experiment)));
        Map<String, Object> values = new LinkedHashMap<>();
        values.put("experiments", rows);
        values.put("features", features.stream().map(ExperimentsCommand::values).toList());
        return values;
    }

    // ---- text ----

    private static String text(Experiment experiment, List<OwnResult> own) {
        List<String> lines = new ArrayList<>();
        lines.add(experiment.name() + ": " + experiment.title());
        lines.add("data       " + experiment.dataset() + ", " + experiment.input() + ", augmentation "
                + experiment.augmentation() + ", batch " + experiment.batch());
        lines.add("optimizer  " + optimizer(experiment));
        lines.add("rates      "
                + experiment.phases().stream().map(ExperimentsCommand::rate).collect(Collectors.joining("; "))
                + (experiment.epochFactor() != 1
                        ? ", times " + Decimals.plain(experiment.epochFactor()) + " after each epoch"
                        : "")
                + (experiment.decays() ? ", divided by 1 + " + decay(experiment) + " t at update t" : "")
                + (experiment.patience() > 0
                        ? "; ends after " + experiment.patience() + " epochs in a row without a better one"
                        : ""));
        lines.add("published  " + published(experiment));
        if (!experiment.remark().isEmpty()) {
            lines.add("remark     " + experiment.remark());
        }
        for (OwnResult result : own) {
            OwnResult.Validation best = result.best();
            lines.add("own        validation " + text(result.last())
                    + (best.rank1() > result.last().rank1() ? ", at best " + text(best) : "") + " (" + result.run()
                    + ")");
            result.evaluations().forEach(measured -> lines.add("           " + text(measured)));
        }
        return String.join(System.lineSeparator() + "    ", lines);
    }

    private static String text(OwnResult.Validation validation) {
        return ranks(validation.rank1(), validation.rank5()) + " after epoch " + validation.epoch();
    }

    private static String text(EvaluationLog.Entry measured) {
        return measured.split() + (measured.crops() == 1 ? "" : " with " + measured.crops() + " crops") + " "
                + ranks(100 * measured.rank1(), 100 * measured.rank5()) + " after epoch " + measured.epoch() + " ("
                + measured.samples() + " pictures of " + measured.data()
                + (measured.resize() == null ? "" : ", shorter side " + measured.resize())
                + (measured.device() == null ? "" : ", " + measured.precision() + " on " + measured.device()) + ", "
                + measured.date().split("T")[0] + ")";
    }

    private static String text(FeatureExperiment experiment) {
        return String.join(
                System.lineSeparator() + "    ",
                experiment.name() + ": " + experiment.title(),
                "data       " + experiment.dataset() + ", "
                        + experiment.network().defaultInput() + ", augmentation " + experiment.augmentation()
                        + ", the last " + percent(experiment.testShare()) + " held out",
                "choice     C of "
                        + experiment.candidates().stream().map(Decimals::plain).collect(Collectors.joining(", "))
                        + " by " + experiment.folds() + " folds: " + Decimals.plain(experiment.best())
                        + " was the best",
                "published  test " + ranks(experiment.published(), Double.NaN),
                "remark     " + experiment.remark());
    }

    private static String percent(double share) {
        return Decimals.plain(100 * share) + " %";
    }

    private static String optimizer(Experiment experiment) {
        OptimizerSpec optimizer = experiment.optimizer();
        StringBuilder text = new StringBuilder(optimizer.kind().toString());
        if (optimizer.momentum() > 0) {
            text.append(", momentum ").append(Decimals.plain(optimizer.momentum()));
        }
        if (optimizer.weightDecay() > 0) {
            text.append(", weight decay ").append(Decimals.plain(optimizer.weightDecay()));
            text.append(optimizer.decaysAll() == Boolean.TRUE ? " of all parameters" : " of weights");
        }
        if (optimizer.epsilon() != null) {
            text.append(", epsilon ").append(Decimals.plain(optimizer.epsilon()));
        }
        return text.toString();
    }

    private static String rate(Phase phase) {
        return phase.from() + "-" + phase.to() + ": " + Decimals.plain(phase.rate())
                + (phase.triedTo() > phase.to() ? " (tried to " + phase.triedTo() + ")" : "");
    }

    private static String decay(Experiment experiment) {
        return Decimals.plain(experiment.phases().getFirst().rate()) + "/" + experiment.epochs();
    }

    private static String published(Experiment experiment) {
        Published published = experiment.published();
        List<String> parts = new ArrayList<>();
        add(parts, "validation", published.validation());
        add(parts, "test", published.test());
        add(parts, "test with ten crops", published.tenCrops());
        return parts.isEmpty() ? "nothing" : String.join(", ", parts);
    }

    private static void add(List<String> parts, String what, Published.Rank rank) {
        if (rank != null) {
            parts.add(what + " " + ranks(rank.rank1(), rank.rank5() == null ? Double.NaN : rank.rank5()));
        }
    }

    private static String ranks(double rank1, double rank5) {
        return Double.isNaN(rank5)
                ? String.format(Locale.ROOT, "%.2f %%", rank1)
                : String.format(Locale.ROOT, "%.2f %% (rank-5 %.2f %%)", rank1, rank5);
    }

    // ---- JSON ----

    private static Map<String, Object> values(Experiment experiment, List<OwnResult> own) {
        Map<String, Object> values = new LinkedHashMap<>();
        values.put("name", experiment.name());
        values.put("network", experiment.network().toString());
        values.put("experiment", experiment.number());
        values.put("title", experiment.title());
        values.put("variant", variant(experiment.variant()));
        values.put("dataset", experiment.dataset().toString());
        values.put("input", experiment.input().toString());
        values.put("width_multiplier", experiment.multiplier());
        values.put("augmentation", experiment.augmentation().toString());
        values.put("batch", experiment.batch().size());
        values.put("devices", experiment.batch().devices());
        values.put("optimizer", experiment.optimizer().kind().toString());
        values.put("momentum", experiment.optimizer().momentum());
        values.put("weight_decay", experiment.optimizer().weightDecay());
        values.put("decay_all", experiment.optimizer().decaysAll() == Boolean.TRUE);
        values.put("restarts", experiment.optimizer().restarts() == Boolean.TRUE);
        values.put("epochs", experiment.epochs());
        values.put(
                "phases",
                experiment.phases().stream().map(ExperimentsCommand::values).toList());
        values.put("schedule", experiment.scheduleSpec().kind().toString());
        values.put("patience", experiment.patience());
        values.put("published", JSON.convertValue(experiment.published(), new TypeReference<Map<String, Object>>() {}));
        values.put("remark", experiment.remark());
        values.put("own", own.stream().map(ExperimentsCommand::values).toList());
        return values;
    }

    private static Map<String, Object> values(FeatureExperiment experiment) {
        Map<String, Object> values = new LinkedHashMap<>();
        values.put("name", experiment.name());
        values.put("network", experiment.network().toString());
        values.put("title", experiment.title());
        values.put("dataset", experiment.dataset().toString());
        values.put("input", experiment.network().defaultInput().toString());
        values.put("augmentation", experiment.augmentation().toString());
        values.put("candidates", experiment.candidates());
        values.put("folds", experiment.folds());
        values.put("test_share", experiment.testShare());
        values.put("penalizes_intercept", experiment.penalizesIntercept());
        values.put("best", experiment.best());
        values.put("published", experiment.published());
        values.put("remark", experiment.remark());
        return values;
    }

    /** What it changes, as words of the command line. */
    private static Map<String, Object> variant(NetworkVariant variant) {
        Map<String, Object> values = new LinkedHashMap<>();
        put(values, "activation", variant.activation());
        put(values, "batch_norm", variant.norm());
        put(values, "residuals", variant.design());
        return values;
    }

    private static void put(Map<String, Object> values, String key, Object value) {
        if (value != null) {
            values.put(key, value.toString());
        }
    }

    private static Map<String, Object> values(Phase phase) {
        Map<String, Object> values = new LinkedHashMap<>();
        values.put("from", phase.from());
        values.put("to", phase.to());
        values.put("tried_to", phase.triedTo());
        values.put("rate", phase.rate());
        return values;
    }

    private static Map<String, Object> values(OwnResult result) {
        Map<String, Object> values = new LinkedHashMap<>();
        values.put("run", result.run().toString());
        values.putAll(values(result.last()));
        values.put("best", values(result.best()));
        values.put(
                "evaluations",
                result.evaluations().stream().map(ExperimentsCommand::values).toList());
        return values;
    }

    private static Map<String, Object> values(OwnResult.Validation validation) {
        Map<String, Object> values = new LinkedHashMap<>();
        values.put("epoch", validation.epoch());
        values.put("rank1", validation.rank1());
        values.put("rank5", Double.isNaN(validation.rank5()) ? null : validation.rank5());
        return values;
    }

    /** In per cent, as everything here. */
    private static Map<String, Object> values(EvaluationLog.Entry measured) {
        Map<String, Object> values = JSON.convertValue(measured, new TypeReference<LinkedHashMap<String, Object>>() {});
        values.put("rank1", 100 * measured.rank1());
        values.put("rank5", 100 * measured.rank5());
        return values;
    }
}
