package tenon.apps.training;

import java.util.ArrayList;
import java.util.List;
import tenon.apps.cli.UsageException;
import tenon.engine.Rng;
import tenon.io.augment.Augmenter;
import tenon.io.augment.AugmenterChain;
import tenon.io.augment.CenterCrop;
import tenon.io.augment.CropStack;
import tenon.io.augment.FloatImage;
import tenon.io.augment.ShortSide;
import tenon.io.augment.TenCrop;
import tenon.io.data.RecordBatchSource;
import tenon.io.image.Image;
import tenon.io.record.RecordSchema;
import tenon.layers.Module;

/**
 * Which views of a picture a network is asked about; their probabilities are averaged.
 *
 * @param crops 1, 5 (four corners and the centre) or 10 (these and their mirror images; Krizhevsky et al., 2012, section 4.1), of the network's input size
 * @param shortSide length to which a picture's shorter side is scaled before it is cropped; null crops pictures as they are stored, and takes the view of
 *     training's own evaluation for one crop
 */
public record Views(int crops, Integer shortSide) {
    /** The view that evaluation during training takes. */
    public static final Views ONE = new Views(1, null);

    public Views {
        if (crops != 1 && crops != 5 && crops != TenCrop.COUNT) {
            throw new UsageException("--crops must be 1, 5 or 10: " + crops);
        }
    }

    /** Throws unless pictures of a stored size leave room to crop. */
    void check(NetworkSpec spec, Augmentation preset, RecordSchema schema) {
        check(spec, schema.height() == spec.height() && schema.width() == spec.width());
        StoredSize stored = StoredSize.of(schema);
        boolean crop = crops > 1 || preset.fit() == Fit.SHORT_SIDE;
        if (crop && shortSide == null && stored != null && !stored.covers(spec.height(), spec.width())) {
            throw new UsageException("--crops " + crops + " needs pictures at least as large as the network's input, "
                    + spec.height() + "x" + spec.width() + ": these are stored as " + stored
                    + " (height x width; say with --resize N how long their shorter side shall be)");
        }
    }

    /** Throws unless pictures of any size, fitted to the network, leave room to crop. */
    public void check(NetworkSpec spec, Fit fit) {
        check(spec, fit == Fit.SQUASH);
    }

    private void check(NetworkSpec spec, boolean ofInputSize) {
        String input = spec.height() + "x" + spec.width();
        if (shortSide != null && shortSide < Math.max(spec.height(), spec.width())) {
            throw new UsageException("--resize must be at least the network's input, " + input + ": " + shortSide);
        }
        if (crops > 1 && shortSide == null && ofInputSize) {
            throw new UsageException("--crops " + crops + " needs pictures larger than the network's input, " + input
                    + ", and these have its size (say with --resize N how long their shorter side shall be)");
        }
    }

    /** Sets a source of stored pictures up to give [N, crops·height, width, C]. */
    RecordBatchSource.Builder apply(RecordBatchSource.Builder source, Augmentation preset, NetworkSpec spec) {
        if (equals(ONE)) {
            return preset.evaluate(source, spec.height(), spec.width());
        }
        cropping(spec).forEach(source::augment);
        return source;
    }

    /** The views of a picture of any size, one below the other, values 0…255. */
    FloatImage of(Image picture, Augmentation preset, NetworkSpec spec) {
        int height = spec.height();
        int width = spec.width();
        if (equals(ONE)) {
            return preset.view(picture, height, width);
        }
        Image stored = shortSide != null ? picture : preset.fit().store(picture, height, width);
        return new AugmenterChain(cropping(spec)).apply(FloatImage.of(stored), new Rng(0, 0, 0));
    }

    private List<Augmenter> cropping(NetworkSpec spec) {
        List<Augmenter> steps = new ArrayList<>();
        if (shortSide != null) {
            steps.add(new ShortSide(shortSide));
        }
        steps.add(
                crops == 1
                        ? new CenterCrop(spec.height(), spec.width())
                        : new CropStack(new TenCrop(spec.height(), spec.width()), crops));
        return steps;
    }

    /** A network that takes what such a source gives. */
    public Module over(Module network) {
        return crops == 1 ? network : new ViewAverage(network, crops);
    }

    /** For people. */
    String description() {
        return crops == 1 ? "1 crop" : crops + " crops";
    }
}
