package tenon.apps.experiments;

import java.util.ArrayList;
import java.util.List;
import tenon.apps.training.Augmentation;
import tenon.apps.training.NetworkSpec.Kind;

/**
 * What the MobileNets' papers trained: V1 (Howard et al. 2017, tables 6 and 7) in four widths and four resolutions, V2 (Sandler et al. 2018, table 4). Settings
 * are those of V2's section 6.1, which are V1's too; RMSprop's epsilon is that of the authors' program, where the papers say nothing, and stood inside the
 * root there. The authors left V1's depthwise filters out of the weight decay, which is not done here.
 */
final class MobileNetExperiments {
    /** The rate falls to 1e-4. */
    private static final int EPOCHS = 300;

    private static final String REMARK =
            "of the paper, by 16 asynchronous workers; it tells no number of epochs, 300 take the rate to 0.0001";

    static final List<Experiment> ALL = all();

    private MobileNetExperiments() {}

    private static List<Experiment> all() {
        List<Experiment> all = new ArrayList<>();
        all.add(v1(1, 1, 224, 70.6));
        all.add(v1(2, 0.75, 224, 68.4));
        all.add(v1(3, 0.5, 224, 63.7));
        all.add(v1(4, 0.25, 224, 50.6));
        all.add(v1(5, 1, 192, 69.1));
        all.add(v1(6, 1, 160, 67.2));
        all.add(v1(7, 1, 128, 64.4));
        all.add(experiment(Kind.MOBILENET_V2, 1, "width 1, 224x224", 1, 224, 72.0));
        return List.copyOf(all);
    }

    private static Experiment v1(int number, double width, int side, double rank1) {
        String title = "width " + (width == 1 ? "1" : Double.toString(width)) + ", " + side + "x" + side;
        return experiment(Kind.MOBILENET_V1, number, title, width, side, rank1);
    }

    private static Experiment experiment(Kind kind, int number, String title, double width, int side, double rank1) {
        return Experiment.of(kind, number, title)
                .on(Dataset.IMAGENET, Augmentation.RESIZED_CROP, Batch.of(96))
                .width(width)
                .side(side)
                .rmsProp(0.9, 0.9, 1, 4e-5)
                .until(EPOCHS, 0.045)
                .fallingEachEpoch(0.98)
                .validation(rank1)
                .remark(REMARK)
                .build();
    }
}
