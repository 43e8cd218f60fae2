package tenon.apps.experiments;

import java.util.List;
import java.util.stream.Stream;
import tenon.apps.cli.UsageException;
import tenon.apps.training.NetworkSpec;

/** All experiments, chapter by chapter; behind them those of papers that a chapter goes by. */
public final class Experiments {
    private static final List<Experiment> ALL = Stream.of(
                    SmallExperiments.FIRST_NETWORKS,
                    SmallExperiments.CIFAR10,
                    SmallExperiments.DOGS_VS_CATS,
                    ImageNetExperiments.ALEXNET,
                    ImageNetExperiments.VGG16,
                    ImageNetExperiments.GOOGLENET,
                    ImageNetExperiments.RESNET50,
                    ImageNetExperiments.SQUEEZENET,
                    MobileNetExperiments.ALL)
            .flatMap(List::stream)
            .toList();

    private Experiments() {}

    public static List<Experiment> all() {
        return ALL;
    }

    /** Those of one network, by number; possibly none. */
    public static List<Experiment> of(NetworkSpec.Kind network) {
        return ALL.stream()
                .filter(experiment -> experiment.network() == network)
                .toList();
    }

    /** @throws UsageException that names those there are */
    public static Experiment find(NetworkSpec.Kind network, int number) {
        List<Experiment> known = of(network);
        return known.stream()
                .filter(experiment -> experiment.number() == number)
                .findFirst()
                .orElseThrow(() -> new UsageException("there is no experiment " + number + " of " + network + ": "
                        + (known.isEmpty()
                                ? "the course trains no such network (./tenon experiments lists all)"
                                : "it has " + range(known) + " (./tenon experiments " + network
                                        + " tells what they are)")));
    }

    private static String range(List<Experiment> known) {
        return known.size() == 1 ? "number 1 only" : "numbers 1 to " + known.size();
    }
}
