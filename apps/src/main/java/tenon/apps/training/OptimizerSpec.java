package tenon.apps.training;

import java.util.Locale;
import java.util.function.ToDoubleFunction;
import tenon.apps.cli.UsageException;
import tenon.layers.Module;
import tenon.layers.Parameter;
import tenon.optim.Adam;
import tenon.optim.Optimizer;
import tenon.optim.RmsProp;
import tenon.optim.Sgd;
import tenon.optim.UpdateRules;

/**
 * An optimizer by name. Null means the usual default of its paper, or none.
 *
 * @param momentum of SGD and RMSprop
 * @param nesterov whether SGD looks ahead
 * @param weightDecay L2 term added to the gradients; decoupled for adamw
 * @param decaysAll whether biases, batch norm's parameters and slopes decay, too
 * @param beta1 of Adam, 0.9
 * @param beta2 of Adam, 0.999; of RMSprop the share of the old mean square, 0.9
 * @param epsilon of Adam, 1e-8, and RMSprop, 1e-7
 * @param clipNorm largest joint norm of all gradients
 * @param restarts whether its state begins anew where the rate changes: a run that MXNet stops and starts again has no momentum at first
 */
public record OptimizerSpec(
        Kind kind,
        double momentum,
        boolean nesterov,
        double weightDecay,
        Boolean decaysAll,
        Double beta1,
        Double beta2,
        Double epsilon,
        Double clipNorm,
        Boolean restarts) {
    public enum Kind {
        SGD,
        ADAM,
        ADAMW,
        RMSPROP;

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }

        /** The rate where none is given. */
        double defaultRate() {
            return this == SGD ? 0.01 : 0.001;
        }
    }

    public OptimizerSpec {
        if (!(momentum >= 0 && momentum < 1)) {
            throw new UsageException("momentum must lie in [0, 1): " + momentum);
        }
        if (nesterov && (kind != Kind.SGD || momentum == 0)) {
            throw new UsageException("--nesterov needs sgd with a momentum");
        }
        if (!(weightDecay >= 0 && weightDecay < 1)) {
            throw new UsageException("weight decay must lie in [0, 1): " + weightDecay);
        }
        if (momentum > 0 && (kind == Kind.ADAM || kind == Kind.ADAMW)) {
            throw new UsageException(kind + " has no momentum but --beta1: " + momentum);
        }
        if (beta1 != null && kind != Kind.ADAM && kind != Kind.ADAMW) {
            throw new UsageException("--beta1 is adam's and adamw's: --optimizer " + kind);
        }
        if (kind == Kind.SGD && (beta2 != null || epsilon != null)) {
            throw new UsageException("--beta2 and --epsilon are not sgd's");
        }
        requireFraction("--beta1", beta1);
        requireFraction("--beta2", beta2);
        requirePositive("--epsilon", epsilon);
        requirePositive("--clip-norm", clipNorm);
    }

    public OptimizerSpec(Kind kind, double momentum, boolean nesterov, double weightDecay) {
        this(kind, momentum, nesterov, weightDecay, null, null, null, null, null, null);
    }

    /** Whether its state begins anew where the rate changes. */
    boolean isRestarted() {
        return restarts != null && restarts;
    }

    private static void requireFraction(String option, Double value) {
        if (value != null && !(value >= 0 && value < 1)) {
            throw new UsageException(option + " must lie in [0, 1): " + value);
        }
    }

    private static void requirePositive(String option, Double value) {
        if (value != null && !(value > 0 && value < Double.POSITIVE_INFINITY)) {
            throw new UsageException(option + " must be positive: " + value);
        }
    }

    /**
     * Makes the optimizer; its state lives in the current scope.
     *
     * @param rateScale factor of the learning rate by parameter
     */
    public Optimizer create(Module network, ToDoubleFunction<Parameter> rateScale) {
        UpdateRules rules = UpdateRules.weightDecay(weightDecay).withRateScale(rateScale);
        if (decaysAll != null && decaysAll) {
            rules = rules.onAllParameters();
        }
        if (clipNorm != null) {
            rules = rules.clipGlobalNorm(clipNorm);
        }
        return switch (kind) {
            case SGD -> new Sgd(network.parameters(), momentum, nesterov, rules);
            case ADAM, ADAMW ->
                new Adam(
                        network.parameters(),
                        or(beta1, 0.9),
                        or(beta2, 0.999),
                        or(epsilon, 1e-8),
                        kind == Kind.ADAMW,
                        rules);
            case RMSPROP -> new RmsProp(network.parameters(), or(beta2, 0.9), or(epsilon, 1e-7), momentum, rules);
        };
    }

    private static double or(Double given, double otherwise) {
        return given != null ? given : otherwise;
    }
}
