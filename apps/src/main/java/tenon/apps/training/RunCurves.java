package tenon.apps.training;

import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import tenon.apps.pictures.CurveSheet.Curve;
import tenon.apps.pictures.CurveSheet.Panel;
import tenon.apps.pictures.CurveSheet.Stroke;
import tenon.optim.train.EpochRecord;
import tenon.optim.train.History;
import tenon.optim.train.Metric;

/**
 * Runs over each other: of each its whole way to where its newest branch is, what earlier branches did after they were left, pale, and what the published
 * experiment came to.
 */
final class RunCurves {
    /** What a panel shows. */
    enum Measure {
        LOSS("loss", Metric.LOSS, Metric.VALIDATION_LOSS),
        RANK_1("rank-1", Metric.ACCURACY, Metric.VALIDATION_ACCURACY),
        RANK_5("rank-5", Metric.ACCURACY5, Metric.VALIDATION_ACCURACY5),
        RATE("learning rate", Metric.RATE, null);

        private final String title;
        private final Metric training;
        private final Metric validation;

        Measure(String title, Metric training, Metric validation) {
            this.title = title;
            this.training = training;
            this.validation = validation;
        }

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT).replace('_', '-');
        }

        private Double of(Original original) {
            return switch (this) {
                case RANK_1 -> original.rank1();
                case RANK_5 -> original.rank5();
                case LOSS, RATE -> null;
            };
        }
    }

    /** A run's measured epochs. */
    private record Run(String label, RunConfig config, List<Branch> branches, List<History> histories) {
        static Run read(String label, RunFolder folder) throws IOException {
            List<Branch> branches = folder.branches();
            List<History> histories = new ArrayList<>();
            for (Branch branch : branches) {
                histories.add(folder.history(branch, branch == branches.getLast()));
            }
            return new Run(label, folder.readConfig(), branches, histories);
        }

        History whole() {
            return histories.getLast();
        }

        /** Epochs done when a branch was left, 0 if it is the newest's ancestor to its end. */
        int leftAt(Branch branch) {
            int left = Integer.MAX_VALUE;
            Branch walked = branches.getLast();
            while (walked.parent() != 0) {
                if (walked.parent() == branch.number()) {
                    left = walked.epoch();
                }
                walked = branches.get(walked.parent() - 1);
            }
            // A branch that is not on the way to the newest one was left where it began.
            return left == Integer.MAX_VALUE ? branch.epoch() : left;
        }
    }

    private final List<Run> runs = new ArrayList<>();

    void add(String label, RunFolder folder) throws IOException {
        runs.add(Run.read(label, folder));
    }

    /** Epochs measured of the longest run. */
    int epochs() {
        return runs.stream()
                .flatMap(run -> run.histories().stream())
                .mapToInt(history -> history.epochs().size())
                .max()
                .orElse(0);
    }

    /** Whether the runs have so many classes that rank-5 says something. */
    boolean hasRank5() {
        return runs.stream().anyMatch(run -> run.config().network().classes() > 5);
    }

    Panel panel(Measure measure) {
        List<Curve> curves = new ArrayList<>();
        for (int i = 0; i < runs.size(); i++) {
            Run run = runs.get(i);
            String prefix = runs.size() == 1 ? "" : run.label() + " ";
            for (Branch branch : run.branches().subList(0, run.branches().size() - 1)) {
                History history = run.histories().get(branch.number() - 1);
                Metric metric = measure.validation != null ? measure.validation : measure.training;
                int left = run.leftAt(branch);
                add(
                        curves,
                        prefix + "branch " + branch.number() + ", left at " + left,
                        i,
                        Stroke.PALE,
                        history,
                        metric,
                        left);
            }
            add(curves, prefix + "train", i, Stroke.DASHED, run.whole(), measure.training, 1);
            if (measure.validation != null) {
                add(curves, prefix + "val", i, Stroke.SOLID, run.whole(), measure.validation, 1);
            }
        }
        addOriginals(measure, curves);
        return new Panel(measure.title, "epoch", measure.title, curves);
    }

    /** @param from first epoch to draw */
    private static void add(
            List<Curve> curves, String name, int color, Stroke stroke, History history, Metric metric, int from) {
        List<EpochRecord> epochs = history.epochs().stream()
                .filter(epoch -> epoch.epoch() >= from && !Double.isNaN(metric.of(epoch)))
                .toList();
        // Where a branch was left at its end, there is nothing pale to draw.
        if (epochs.size() > (stroke == Stroke.PALE ? 1 : 0)) {
            curves.add(new Curve(
                    name,
                    color,
                    stroke,
                    epochs.stream().mapToDouble(EpochRecord::epoch).toArray(),
                    epochs.stream().mapToDouble(metric::of).toArray()));
        }
    }

    private void addOriginals(Measure measure, List<Curve> curves) {
        Set<Original> originals = new LinkedHashSet<>();
        runs.forEach(run -> {
            if (run.config().original() != null) {
                originals.add(run.config().original());
            }
        });
        for (Original original : originals) {
            Double level = measure.of(original);
            if (level != null) {
                curves.add(new Curve(
                        String.format(Locale.ROOT, "published %s: %.4f", original.name(), level),
                        0,
                        Stroke.LEVEL,
                        new double[] {1, Math.max(2, epochs())},
                        new double[] {level, level}));
            }
        }
    }
}
