package tenon.apps.training;

import picocli.CommandLine.Option;
import tenon.apps.cli.OptionSection;
import tenon.apps.cli.UsageException;

/** How weights change. What is not given is as in the experiment, or the usual default. */
@OptionSection("Optimizer")
final class OptimizerOptions {
    @Option(
            names = "--optimizer",
            paramLabel = "NAME",
            description = "One of ${COMPLETION-CANDIDATES}. Default: sgd, or the experiment's.")
    private OptimizerSpec.Kind kind;

    @Option(names = "--momentum", paramLabel = "M", description = "Of sgd and rmsprop. Default: 0.9 of sgd.")
    private Double momentum;

    @Option(names = "--nesterov", description = "Let sgd look ahead.")
    private Boolean nesterov;

    @Option(
            names = "--beta1",
            paramLabel = "B",
            description = "Of adam and adamw: share of the old mean in the mean gradient. Default: 0.9.")
    private Double beta1;

    @Option(
            names = "--beta2",
            paramLabel = "B",
            description = "Of adam, adamw and rmsprop: share of the old mean in the mean square. Default: 0.999, 0.9 of"
                    + " rmsprop.")
    private Double beta2;

    @Option(
            names = "--epsilon",
            paramLabel = "E",
            description = "Of adam, adamw and rmsprop: added to the root. Default: 1e-8, 1e-7 of rmsprop.")
    private Double epsilon;

    @Option(
            names = "--weight-decay",
            paramLabel = "D",
            description = "L2 term on weights; decoupled for adamw. Default: 0.")
    private Double weightDecay;

    @Option(
            names = "--decay-all",
            negatable = true,
            description = "Let biases, batch norm's gamma and beta and PReLU's slopes decay, too.")
    private Boolean decaysAll;

    @Option(
            names = "--clip-norm",
            paramLabel = "N",
            description = "Shrink all gradients by one factor where their joint norm is larger.")
    private Double clipNorm;

    @Option(
            names = "--restart-optimizer",
            negatable = true,
            description = "Begin momentum and moments anew at each --lr-at and at resume --lr, as in runs that MXNet"
                    + " stopped and started again. Default: off, or as in the experiment.")
    private Boolean restarts;

    /** @param experiment what holds where nothing is given, or null */
    OptimizerSpec spec(OptimizerSpec experiment) {
        OptimizerSpec base = experiment != null && (kind == null || kind == experiment.kind())
                ? experiment
                : usual(kind != null ? kind : OptimizerSpec.Kind.SGD);
        boolean hasMomentum = base.kind() == OptimizerSpec.Kind.SGD || base.kind() == OptimizerSpec.Kind.RMSPROP;
        if (momentum != null && !hasMomentum) {
            throw new UsageException("--momentum is sgd's and rmsprop's, " + base.kind() + " has --beta1");
        }
        return new OptimizerSpec(
                base.kind(),
                or(momentum, base.momentum()),
                or(nesterov, base.nesterov()),
                or(weightDecay, base.weightDecay()),
                or(decaysAll, base.decaysAll()),
                or(beta1, base.beta1()),
                or(beta2, base.beta2()),
                or(epsilon, base.epsilon()),
                or(clipNorm, base.clipNorm()),
                or(restarts, base.restarts()));
    }

    private static OptimizerSpec usual(OptimizerSpec.Kind kind) {
        return new OptimizerSpec(kind, kind == OptimizerSpec.Kind.SGD ? 0.9 : 0, false, 0);
    }

    private static <T> T or(T given, T otherwise) {
        return given != null ? given : otherwise;
    }
}
