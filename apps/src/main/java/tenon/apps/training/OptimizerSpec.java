package tenon.apps.training;

import java.util.Locale;
import tenon.apps.cli.UsageException;
import tenon.layers.Module;
import tenon.optim.Adam;
import tenon.optim.Optimizer;
import tenon.optim.RmsProp;
import tenon.optim.Sgd;
import tenon.optim.UpdateRules;

/**
 * An optimizer by name.
 *
 * @param momentum of SGD; the others take the usual defaults of their papers
 * @param nesterov whether SGD looks ahead
 * @param weightDecay L2 term added to the gradients of weights, not of biases and batch norm
 */
public record OptimizerSpec(Kind kind, double momentum, boolean nesterov, double weightDecay) {
    public enum Kind {
        SGD,
        ADAM,
        RMSPROP;

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
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
    }

    /** Makes the optimizer; its state lives in the current scope. */
    public Optimizer create(Module network) {
        UpdateRules rules = UpdateRules.weightDecay(weightDecay);
        return switch (kind) {
            case SGD -> new Sgd(network.parameters(), momentum, nesterov, rules);
            case ADAM -> new Adam(network.parameters(), rules);
            case RMSPROP -> new RmsProp(network.parameters(), rules);
        };
    }
}
