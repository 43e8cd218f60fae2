package tenon.apps.prediction;

import tenon.apps.cli.ComputeSettings;
import tenon.apps.cli.UsageException;
import tenon.apps.training.Views;
import tenon.engine.Precision;

/**
 * How a {@link Predictor} works; {@link #DEFAULT} and {@code with…} make one.
 *
 * @param compute device, threads and precision
 * @param views of each picture whose probabilities are averaged
 * @param top how many classes a prediction lists
 * @param batch pictures computed together. The network always computes so many, however few wait: with 1, a lone call is answered soonest; with more, many callers are
 *     served faster where a layer's weights are large, and a lone one waits for the whole batch
 */
public record PredictorOptions(ComputeSettings compute, Views views, int top, int batch) {
    /** On all processors in fp32, one view, the five likeliest classes, one picture at a time. */
    public static final PredictorOptions DEFAULT = new PredictorOptions(
            new ComputeSettings(
                    "cpu", Runtime.getRuntime().availableProcessors(), Precision.FP32, false, true, 42, false),
            Views.ONE,
            5,
            1);

    public PredictorOptions {
        if (top < 1) {
            throw new UsageException("--top must be at least 1: " + top);
        }
        if (batch < 1) {
            throw new UsageException("--batch must be at least 1: " + batch);
        }
    }

    public PredictorOptions withCompute(ComputeSettings newCompute) {
        return new PredictorOptions(newCompute, views, top, batch);
    }

    public PredictorOptions withViews(Views newViews) {
        return new PredictorOptions(compute, newViews, top, batch);
    }

    public PredictorOptions withTop(int newTop) {
        return new PredictorOptions(compute, views, newTop, batch);
    }

    public PredictorOptions withBatch(int newBatch) {
        return new PredictorOptions(compute, views, top, newBatch);
    }
}
