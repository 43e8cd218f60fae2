package tenon.apps.quickstart;

import tenon.apps.training.Augmentation;
import tenon.apps.training.NetworkSpec;
import tenon.apps.training.OptimizerSpec;
import tenon.apps.training.ScheduleSpec;

/**
 * How the quickstart trains. The numbers in {@link #DEFAULT} are chosen on the held-out training images; the test images decide nothing.
 *
 * @param heldOutFraction share of the training images that judge the epochs: 5,000 of 60,000
 */
record QuickstartRecipe(
        NetworkSpec.Kind network,
        int epochs,
        int batchSize,
        OptimizerSpec optimizer,
        ScheduleSpec schedule,
        double labelSmoothing,
        Augmentation augmentation,
        double heldOutFraction) {

    static final QuickstartRecipe DEFAULT = new QuickstartRecipe(
            NetworkSpec.Kind.MINIVGG,
            12,
            64,
            new OptimizerSpec(OptimizerSpec.Kind.SGD, 0.9, true, 5e-4),
            new ScheduleSpec(ScheduleSpec.Kind.ONE_CYCLE, 0.05, 0),
            0,
            Augmentation.FLIP,
            5000.0 / 60000);

    /** This recipe with what the command line may change. */
    QuickstartRecipe with(NetworkSpec.Kind newNetwork, int newEpochs, int newBatchSize) {
        return new QuickstartRecipe(
                newNetwork,
                newEpochs,
                newBatchSize,
                optimizer,
                schedule,
                labelSmoothing,
                augmentation,
                heldOutFraction);
    }
}
