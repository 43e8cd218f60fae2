package tenon.apps.experiments;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import tenon.apps.cli.ImageSize;
import tenon.apps.training.Augmentation;
import tenon.apps.training.NetworkSpec;
import tenon.apps.training.NetworkVariant;
import tenon.apps.training.OptimizerSpec;
import tenon.apps.training.Original;
import tenon.apps.training.ScheduleSpec;

/**
 * One experiment of the course: everything that decides what was trained how, and what came of it.
 *
 * @param number from 1, per network
 * @param title what sets it apart
 * @param optimizer in MXNet, weight decay takes biases, slopes and betas too when the optimizer is not told the parameters' names, and every phase starts
 *     with momentum and moments of zero, which checkpoints there do not hold
 * @param phases without gaps
 * @param input pictures as the network sees them
 * @param multiplier of the number of filters
 * @param epochFactor by which the rate of the only phase falls after each epoch; 1 where it does not
 * @param decays whether the rate of the only phase falls with every update: {@link ScheduleSpec.Kind#TIME_DECAY}
 * @param patience epochs in a row without a better validation accuracy that ended training; 0 for none
 * @param remark what a reader should know; empty for nothing
 */
public record Experiment(
        NetworkSpec.Kind network,
        int number,
        String title,
        Dataset dataset,
        NetworkVariant variant,
        ImageSize input,
        double multiplier,
        Augmentation augmentation,
        Batch batch,
        OptimizerSpec optimizer,
        List<Phase> phases,
        boolean decays,
        double epochFactor,
        int patience,
        Published published,
        String remark) {

    public Experiment {
        phases = List.copyOf(phases);
        if (phases.isEmpty() || (decays || epochFactor != 1) && phases.size() > 1) {
            throw new IllegalArgumentException(network + "-" + number
                    + ": must have phases, and one only when its rate decays by itself: phases=" + phases);
        }
        int next = 1;
        for (Phase phase : phases) {
            if (phase.from() != next) {
                throw new IllegalArgumentException(
                        network + "-" + number + ": a phase must begin behind the one before: phases=" + phases);
            }
            next = phase.to() + 1;
        }
    }

    /** As the command line and run folders call it, e.g. {@code alexnet-3}. */
    public String name() {
        return network + "-" + number;
    }

    /** Number of the last epoch. */
    public int epochs() {
        return phases.getLast().to();
    }

    /** The phase of an epoch, counted from 1. */
    public Phase phase(int epoch) {
        return phases.stream()
                .filter(phase -> phase.from() <= epoch && epoch <= phase.to())
                .findFirst()
                .orElseThrow(() ->
                        new IllegalArgumentException(name() + ": there is no epoch " + epoch + " of " + epochs()));
    }

    /** The rates of the whole experiment; epochs that were tried and given up are not in it. */
    public ScheduleSpec scheduleSpec() {
        double first = phases.getFirst().rate();
        if (decays) {
            return new ScheduleSpec(ScheduleSpec.Kind.TIME_DECAY, first, 0);
        }
        if (epochFactor != 1) {
            return ScheduleSpec.exponential(first, epochFactor);
        }
        return ScheduleSpec.piecewise(
                first,
                phases.stream()
                        .skip(1)
                        .map(phase -> new ScheduleSpec.Change(phase.from() - 1, phase.rate()))
                        .toList());
    }

    /** What plots of runs are held against; null where nothing was published. */
    public Original original() {
        Published.Rank rank = published.validation();
        return rank == null ? null : new Original(name(), share(rank.rank1()), share(rank.rank5()));
    }

    private static Double share(Double percent) {
        return percent == null ? null : Double.valueOf(percent / 100);
    }

    /** The original's network, for its data set. */
    public NetworkSpec networkSpec() {
        return networkSpec(input, dataset.classes(), multiplier);
    }

    /** The same for other data, other pictures or another width. */
    public NetworkSpec networkSpec(ImageSize pictures, int classes, double width) {
        return new NetworkSpec(
                network,
                pictures.height(),
                pictures.width(),
                pictures.channels(),
                classes,
                network.defaultNormMomentum(),
                width,
                variant);
    }

    // ---- writing experiments down ----

    static Builder of(NetworkSpec.Kind network, int number, String title) {
        return new Builder(network, number, title);
    }

    /** Starts with no variant, no augmentation, no weight decay, nothing published. */
    static final class Builder {
        private final NetworkSpec.Kind network;
        private final int number;
        private final String title;
        private Dataset dataset;
        private NetworkVariant variant = NetworkVariant.ORIGINAL;
        private Augmentation augmentation = Augmentation.NONE;
        private Batch batch;
        private OptimizerSpec optimizer;
        private final List<Phase> phases = new ArrayList<>();
        private boolean decays;
        private double epochFactor = 1;
        private double multiplier = 1;
        private ImageSize input;
        private int patience;
        private Published.Rank validation;
        private Published.Rank test;
        private Published.Rank tenCrops;
        private String remark = "";

        private Builder(NetworkSpec.Kind network, int number, String title) {
            this.network = network;
            this.number = number;
            this.title = title;
            input = network.defaultInput();
        }

        Builder on(Dataset newDataset, Augmentation newAugmentation, Batch newBatch) {
            dataset = newDataset;
            augmentation = newAugmentation;
            batch = newBatch;
            return this;
        }

        Builder variant(NetworkVariant newVariant) {
            variant = newVariant;
            return this;
        }

        /** Of the number of filters; 1 unless it is said. */
        Builder width(double newMultiplier) {
            multiplier = newMultiplier;
            return this;
        }

        /** Of square pictures; the network's usual one unless it is said. */
        Builder side(int pixels) {
            input = new ImageSize(pixels, pixels, input.channels());
            return this;
        }

        Builder sgd(double momentum) {
            optimizer = new OptimizerSpec(OptimizerSpec.Kind.SGD, momentum, false, 0);
            return this;
        }

        /** @param weightDecay of weights alone */
        Builder adam(double weightDecay) {
            optimizer = new OptimizerSpec(OptimizerSpec.Kind.ADAM, 0, false, weightDecay);
            return this;
        }

        /** @param decay share of the old mean square */
        Builder rmsProp(double decay, double momentum, double epsilon, double weightDecay) {
            optimizer = new OptimizerSpec(
                    OptimizerSpec.Kind.RMSPROP, momentum, false, weightDecay, null, null, decay, epsilon, null, null);
            return this;
        }

        /** SGD with momentum 0.9 in MXNet. */
        Builder mxnetSgd(double weightDecay) {
            return mxnet(OptimizerSpec.Kind.SGD, 0.9, weightDecay);
        }

        Builder mxnetAdam(double weightDecay) {
            return mxnet(OptimizerSpec.Kind.ADAM, 0, weightDecay);
        }

        private Builder mxnet(OptimizerSpec.Kind kind, double momentum, double weightDecay) {
            optimizer = new OptimizerSpec(kind, momentum, false, weightDecay, true, null, null, null, null, true);
            return this;
        }

        /** The next phase. */
        Builder until(int epoch, double rate) {
            return until(epoch, rate, epoch);
        }

        /** The next phase, from which the original went back. */
        Builder until(int epoch, double rate, int triedTo) {
            int from = phases.isEmpty() ? 1 : phases.getLast().to() + 1;
            phases.add(new Phase(from, epoch, rate, triedTo));
            return this;
        }

        /** The rate of the only phase falls with every update. */
        Builder decaying() {
            decays = true;
            return this;
        }

        /** The rate of the only phase is multiplied after each epoch. */
        Builder fallingEachEpoch(double factor) {
            epochFactor = factor;
            return this;
        }

        Builder patience(int epochs) {
            patience = epochs;
            return this;
        }

        Builder validation(double rank1, double rank5) {
            validation = new Published.Rank(rank1, rank5);
            return this;
        }

        Builder validation(double rank1) {
            validation = new Published.Rank(rank1, null);
            return this;
        }

        Builder test(double rank1, double rank5) {
            test = new Published.Rank(rank1, rank5);
            return this;
        }

        /** @param crops the mean over ten crops */
        Builder testAndCrops(double rank1, double crops) {
            test = new Published.Rank(rank1, null);
            tenCrops = new Published.Rank(crops, null);
            return this;
        }

        Builder remark(String newRemark) {
            remark = newRemark;
            return this;
        }

        Experiment build() {
            return new Experiment(
                    network,
                    number,
                    title,
                    Objects.requireNonNull(dataset),
                    variant,
                    input,
                    multiplier,
                    augmentation,
                    batch,
                    Objects.requireNonNull(optimizer),
                    phases,
                    decays,
                    epochFactor,
                    patience,
                    new Published(validation, test, tenCrops),
                    remark);
        }
    }
}
