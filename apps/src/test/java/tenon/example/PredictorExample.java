package tenon.example;

import java.nio.file.Path;
import java.util.List;
import java.util.TreeMap;
import tenon.apps.prediction.Predictor;
import tenon.apps.prediction.PredictorOptions;
import tenon.apps.training.Prediction;

/** Says what pictures show, from many threads. */
final class PredictorExample {
    private PredictorExample() {}

    /** The likeliest class of each picture, and how likely it is. */
    static TreeMap<Path, String> describe(Path model, List<Path> pictures) {
        PredictorOptions options = PredictorOptions.DEFAULT.withTop(3).withBatch(2);
        try (Predictor predictor = Predictor.open(model, options)) {
            TreeMap<Path, String> described = new TreeMap<>();
            pictures.parallelStream().forEach(picture -> {
                Prediction best = predictor.predict(picture).getFirst();
                synchronized (described) {
                    described.put(picture, "%s, %.0f %%".formatted(best.name(), 100 * best.probability()));
                }
            });
            return described;
        }
    }
}
