package tenon.apps.firstnetwork;

import tenon.apps.training.Augmentation;
import tenon.apps.training.NetworkSpec;
import tenon.apps.training.OptimizerSpec;
import tenon.apps.training.ScheduleSpec;

/**
 * The two trainers' constants.
 *
 * @param side pictures are squashed to side×side
 * @param dropLast whether an epoch leaves the short last batch out: the original takes 2250 // 32 = 70 steps when it augments, and all 71 batches
 *     otherwise
 * @param title what stands in the brackets of the chart's title
 */
record Program(
        NetworkSpec.Kind network,
        int side,
        ScheduleSpec.Kind schedule,
        Augmentation augmentation,
        boolean dropLast,
        String title) {
    static final double RATE = 0.01;
    static final int EPOCHS = 75;
    static final int BATCH_SIZE = 32;
    static final double TEST_SHARE = 0.25;
    static final long SEED = 42;

    /** 32×32 pictures, dense 3072-1024-512, plain SGD, no augmentation. */
    static final Program SIMPLE_NN =
            new Program(NetworkSpec.Kind.DENSE3, 32, ScheduleSpec.Kind.CONSTANT, Augmentation.NONE, false, "Simple NN");

    /** 64×64 pictures, SmallVGGNet, SGD with time-based decay 0.01 / 75, augmentation. */
    static final Program VGG = new Program(
            NetworkSpec.Kind.SMALLVGG, 64, ScheduleSpec.Kind.TIME_DECAY, Augmentation.AFFINE, true, "SmallVGGNet");

    OptimizerSpec optimizer() {
        return new OptimizerSpec(OptimizerSpec.Kind.SGD, 0, false, 0);
    }

    ScheduleSpec scheduleSpec() {
        return new ScheduleSpec(schedule, RATE, 0);
    }
}
