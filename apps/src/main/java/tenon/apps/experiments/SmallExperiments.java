package tenon.apps.experiments;

import java.util.List;
import tenon.apps.training.Augmentation;
import tenon.apps.training.NetworkSpec.Kind;

/** The chapters on the first networks, CIFAR-10, and dogs and cats. */
final class SmallExperiments {
    private SmallExperiments() {}

    static final List<Experiment> FIRST_NETWORKS = List.of(
            Experiment.of(Kind.DENSE3, 1, "plain SGD on flattened pictures")
                    .on(Dataset.ANIMALS, Augmentation.NONE, Batch.of(32))
                    .sgd(0)
                    .until(75, 0.01)
                    .validation(61.33)
                    .remark("460 of 750; runs differ, 55 to 66 is as expected")
                    .build(),
            Experiment.of(Kind.SMALLVGG, 1, "SGD whose rate decays with every update, augmented")
                    .on(Dataset.ANIMALS, Augmentation.AFFINE, Batch.of(32).droppingTheLast())
                    .sgd(0)
                    .until(75, 0.01)
                    .decaying()
                    .validation(76.53)
                    .remark("574 of 750; runs differ, 70 to 83 is as expected")
                    .build(),
            Experiment.of(Kind.MNIST, 1, "Adam, stopped when validation accuracy no longer rises")
                    .on(Dataset.MNIST, Augmentation.NONE, Batch.of(200))
                    .adam(0)
                    .until(25, 0.001)
                    .patience(2)
                    .validation(97.89)
                    .remark("stopped after epoch 10; epoch 8 was the best with 97.93")
                    .build());

    static final List<Experiment> CIFAR10 =
            List.of(Experiment.of(Kind.CIFAR10_CNN, 1, "Adam on five convolutions and four dense layers")
                    .on(Dataset.CIFAR10, Augmentation.CIFAR, Batch.of(128))
                    .adam(0)
                    .until(20, 0.001)
                    .remark("no accuracy is told; the original's filters started as zeros and stayed so")
                    .build());

    /** Keras's L2 factor of 0.0002 has the gradient of a weight decay of 0.0004. */
    static final List<Experiment> DOGS_VS_CATS = List.of(Experiment.of(
                    Kind.ALEXNET_DOGS_CATS, 1, "Adam, L2 on the kernels")
            .on(Dataset.DOGS_VS_CATS, Augmentation.DOGS_CATS, Batch.of(128).droppingTheLast())
            .adam(2 * 0.0002)
            .until(75, 0.001)
            .validation(92.97)
            .testAndCrops(92.60, 94.00)
            .remark("validation jumps from 86 to 93 in the last epochs")
            .build());
}
