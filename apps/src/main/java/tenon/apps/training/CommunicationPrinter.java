package tenon.apps.training;

import tenon.apps.cli.Console;
import tenon.optim.train.Callback;
import tenon.optim.train.Trainer;

/** Says once how the devices of a run exchange gradients, which is known when training begins. */
final class CommunicationPrinter implements Callback {
    private final Console console;
    private boolean said;

    CommunicationPrinter(Console console) {
        this.console = console;
    }

    @Override
    public void onEpochBegin(Trainer trainer, int epoch) {
        if (!said) {
            trainer.communication().ifPresent(way -> console.print("Gradients are summed through %s", way));
            said = true;
        }
    }
}
