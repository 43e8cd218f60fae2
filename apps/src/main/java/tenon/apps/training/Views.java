package tenon.apps.training;

import java.util.ArrayList;
import java.util.List;
import tenon.apps.cli.UsageException;
import tenon.io.augment.Augmenter;
import tenon.io.augment.CenterCrop;
import tenon.io.augment.CropStack;
import tenon.io.augment.ShortSide;
import tenon.io.augment.TenCrop;
import tenon.io.data.RecordBatchSource;
import tenon.io.record.RecordSchema;
import tenon.layers.Module;

/**
 * Which views of a picture a network is asked about; their probabilities are averaged.
 *
 * @param crops 1, 5 (four corners and the centre) or 10 (these and their mirror images; Krizhevsky et al., 2012, section 4.1), of the network's input size
 * @param shortSide length to which a picture's shorter side is scaled before it is cropped; null crops pictures as they are stored, and takes the view of
 *     training's own evaluation for one crop
 */
record Views(int crops, Integer shortSide) {
    Views {
        if (crops != 1 && crops != 5 && crops != TenCrop.COUNT) {
            throw new UsageException("--crops must be 1, 5 or 10: " + crops);
        }
    }

    /** Throws unless the pictures leave room to crop. */
    void check(NetworkSpec spec, RecordSchema stored) {
        int larger = Math.max(spec.height(), spec.width());
        if (shortSide != null && shortSide < larger) {
            throw new UsageException("--resize must be at least the network's input, " + spec.height() + "x"
                    + spec.width() + ": " + shortSide);
        }
        boolean noRoom = stored.height() == spec.height() && stored.width() == spec.width();
        if (crops > 1 && shortSide == null && noRoom) {
            throw new UsageException("--crops " + crops + " needs pictures larger than the network's input, "
                    + spec.height() + "x" + spec.width()
                    + ", and these have its size (say with --resize N how long their shorter side shall be)");
        }
    }

    /** Sets a source of stored pictures up to give [N, crops·height, width, C]. */
    RecordBatchSource.Builder apply(RecordBatchSource.Builder source, Augmentation preset, NetworkSpec spec) {
        int height = spec.height();
        int width = spec.width();
        if (crops == 1 && shortSide == null) {
            return preset.evaluate(source, height, width);
        }
        List<Augmenter> steps = new ArrayList<>();
        if (shortSide != null) {
            steps.add(new ShortSide(shortSide));
        }
        steps.add(crops == 1 ? new CenterCrop(height, width) : new CropStack(new TenCrop(height, width), crops));
        steps.forEach(source::augment);
        return source;
    }

    /** A network that takes what such a source gives. */
    Module over(Module network) {
        return crops == 1 ? network : new ViewAverage(network, crops);
    }

    /** For people. */
    String description() {
        return crops == 1 ? "1 crop" : crops + " crops";
    }
}
