package tenon.apps.training;

import java.util.Arrays;
import java.util.List;
import tenon.engine.Scope;
import tenon.engine.Tensor;
import tenon.engine.data.Batch;
import tenon.engine.ops.Losses;
import tenon.io.record.Records;
import tenon.optim.train.EvaluationListener;

/** Notes during an evaluation what a network says about each picture: the worst mistakes, and a table of all. */
final class EvaluationNotes implements EvaluationListener {
    private static final int TOP = 5;

    private final Records records;
    private final List<String> names;
    private final Mistakes mistakes;
    private final PredictionCsv table;

    /**
     * @param mistakes how many to keep; 0 for none
     * @param all whether the table is wanted
     */
    EvaluationNotes(Records records, int mistakes, boolean all) {
        this.records = records;
        names = records.schema().classNames();
        this.mistakes = mistakes == 0 ? null : new Mistakes(mistakes);
        table = all ? new PredictionCsv(List.of("key", "true"), Math.min(TOP, names.size())) : null;
    }

    /** The batch is in the records' order: {@code keys} are numbers of samples. */
    @Override
    public void batch(Batch batch, Tensor logits) {
        if (mistakes == null && table == null) {
            return;
        }
        try (Scope _ = Scope.openLocal("notes")) {
            float[] probabilities = Losses.softmax(logits).toFloatArray();
            int classes = names.size();
            for (int i = 0; i < batch.size(); i++) {
                add(
                        Math.toIntExact(batch.keys()[i]),
                        Arrays.copyOfRange(probabilities, i * classes, (i + 1) * classes));
            }
        }
    }

    private void add(int sample, float[] probabilities) {
        int truth = records.classIndex(sample);
        List<Prediction> best = Prediction.likeliest(probabilities, names, TOP);
        if (table != null) {
            table.add(List.of(records.key(sample), names.get(truth)), best);
        }
        if (mistakes != null && best.getFirst().classIndex() != truth) {
            mistakes.add(new Mistakes.Mistake(
                    sample, best.getFirst(), new Prediction(truth, names.get(truth), probabilities[truth])));
        }
    }

    /** Null unless wanted. */
    Mistakes mistakes() {
        return mistakes;
    }

    /** Null unless wanted. */
    PredictionCsv table() {
        return table;
    }
}
