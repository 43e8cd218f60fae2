package tenon.apps.training;

import java.util.List;
import tenon.engine.DType;
import tenon.engine.GradMode;
import tenon.engine.Scope;
import tenon.engine.Tensor;
import tenon.engine.ops.Losses;
import tenon.io.augment.FloatImage;
import tenon.io.data.Normalization;
import tenon.io.image.Image;
import tenon.layers.InferenceForm;
import tenon.layers.Module;

/**
 * A trained network with what it takes to ask it about a picture. Lives in the scope in which its network was built.
 *
 * @param normalization the one it was trained with
 * @param augmentation what it was trained with; decides the view it is asked about
 * @param classNames one per class
 */
public record Classifier(
        NetworkSpec spec,
        Module network,
        Normalization normalization,
        Augmentation augmentation,
        List<String> classNames) {
    /** Its network in the form for inference, made in the current scope. */
    public Classifier forInference() {
        return new Classifier(spec, InferenceForm.of(network), normalization, augmentation, classNames);
    }

    /** A picture of any size as the network takes it, normalized: H·W·C values of each view, one view after the other. */
    public float[] input(Image picture, Views views) {
        FloatImage seen = views.of(picture.withChannels(spec.channels()), augmentation, spec);
        float[] values = new float[seen.size()];
        float[] means = normalization.means();
        float[] stds = normalization.stds();
        for (int i = 0; i < values.length; i++) {
            int channel = means.length == 1 ? 0 : i % spec.channels();
            values[i] = (seen.values()[i] - means[channel]) / stds[channel];
        }
        return values;
    }

    /** Probability of each class for one picture of any size, in the view that evaluation takes. */
    public float[] probabilities(Image picture) {
        network.eval();
        try (Scope _ = Scope.open("predict");
                var _ = GradMode.noGrad()) {
            Tensor input = Tensor.empty(spec.input(1), DType.F32);
            input.upload(input(picture, Views.ONE));
            return Losses.softmax(network.apply(input)).toFloatArray();
        }
    }

    /** The {@code count} likeliest classes, likeliest first. */
    public List<Prediction> guess(Image picture, int count) {
        return Prediction.likeliest(probabilities(picture), classNames, count);
    }
}
