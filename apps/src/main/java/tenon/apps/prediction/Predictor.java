package tenon.apps.prediction;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import tenon.apps.training.Classifier;
import tenon.apps.training.Prediction;
import tenon.apps.training.SavedModel;
import tenon.apps.training.Views;
import tenon.engine.DType;
import tenon.engine.GradMode;
import tenon.engine.Scope;
import tenon.engine.Shape;
import tenon.engine.Tensor;
import tenon.engine.backend.Backend;
import tenon.engine.ops.Losses;
import tenon.io.image.Image;
import tenon.io.image.ImageCodec;
import tenon.layers.Module;

/**
 * A trained network that any number of threads may ask about pictures:
 *
 * <pre>{@code
 * try (Predictor predictor = Predictor.open(Path.of("output/flowers"))) {
 *     List<Prediction> best = predictor.predict(Path.of("rose.jpg"));
 * }
 * }</pre>
 *
 * Pictures are decoded and fitted on the calling thread, and computed on one thread of the predictor's own, which owns the network's memory. Answers do not depend on
 * what other threads ask at the same time, to the last bit; another {@link PredictorOptions#batch} may choose other kernels and so change last bits.
 */
public final class Predictor implements AutoCloseable {
    private final PredictorOptions options;
    private final Classifier classifier;
    private final BatchWorker worker;

    private Predictor(PredictorOptions options, Classifier classifier, BatchWorker worker) {
        this.options = options;
        this.classifier = classifier;
        this.worker = worker;
    }

    /** With {@link PredictorOptions#DEFAULT}. */
    public static Predictor open(Path model) {
        return open(model, PredictorOptions.DEFAULT);
    }

    /** As {@link #open(Path, PredictorOptions, Consumer)}, without warnings. */
    public static Predictor open(Path model, PredictorOptions options) {
        return open(model, options, _ -> {});
    }

    /**
     * Reads a network and readies it.
     *
     * @param model folder of a training run (its best checkpoint is taken) or of one checkpoint, or a model file
     * @param warning told when the device lacks the precision asked for, and computes in fp32
     * @throws tenon.engine.TenonException when there is no such network, it is damaged, or it does not fit the options
     */
    public static Predictor open(Path model, PredictorOptions options, Consumer<String> warning) {
        CompletableFuture<Classifier> read = new CompletableFuture<>();
        BatchWorker worker = new BatchWorker(
                "predictor of " + model, options.batch(), itself -> serve(itself, model, options, warning, read));
        return new Predictor(options, read.join(), worker);
    }

    /** The worker's whole life: what it opens, it closes. */
    private static void serve(
            BatchWorker worker,
            Path model,
            PredictorOptions options,
            Consumer<String> warning,
            CompletableFuture<Classifier> read)
            throws IOException {
        try (Backend backend = options.compute().open();
                Scope _ = Scope.open("model", backend);
                var _ = GradMode.noGrad()) {
            Classifier trained = SavedModel.read(model);
            trained.network().computeIn(options.compute().precision(backend, warning));
            Classifier classifier = trained.forInference();
            Views views = options.views();
            views.check(classifier.spec(), classifier.augmentation().fit());
            Module network = views.over(classifier.network());
            network.eval();
            Shape one = classifier.spec().input(1);
            Shape input = Shape.of(options.batch(), one.dim(1) * views.crops(), one.dim(2), one.dim(3));
            read.complete(classifier);
            worker.serve(Math.toIntExact(one.elementCount() * views.crops()), rows -> {
                try (Scope _ = Scope.open("predict")) {
                    Tensor batch = Tensor.empty(input, DType.F32);
                    batch.upload(rows);
                    return Losses.softmax(network.apply(batch)).toFloatArray();
                }
            });
        }
    }

    /** The likeliest classes of a picture's file, likeliest first. */
    public List<Prediction> predict(Path picture) {
        return predict(ImageCodec.read(picture));
    }

    /** As {@link #predict(Path)}, of the bytes of a picture's file. */
    public List<Prediction> predict(byte[] file) {
        return predict(ImageCodec.decode(file, "of " + file.length + " bytes"));
    }

    /** As {@link #predict(Path)}, of a picture in memory. */
    public List<Prediction> predict(BufferedImage picture) {
        return predict(ImageCodec.ofBufferedImage(picture));
    }

    /**
     * As {@link #predict(Path)}, of decoded pixels. All of these throw
     * {@link tenon.io.image.ImageException} when the picture cannot be read, and {@link tenon.engine.ClosedException} after {@link #close}.
     */
    public List<Prediction> predict(Image picture) {
        float[] probabilities = worker.compute(classifier.input(picture, options.views()));
        return Prediction.likeliest(probabilities, classifier.classNames(), options.top());
    }

    /** The classes that the network tells apart, by their indices. */
    public List<String> classNames() {
        return classifier.classNames();
    }

    /**
     * Refuses further calls, lets those under way finish, and frees the network's memory before it returns. May be called more than once, by any thread.
     */
    @Override
    public void close() {
        worker.close();
    }
}
