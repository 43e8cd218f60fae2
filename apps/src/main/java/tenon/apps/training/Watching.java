package tenon.apps.training;

import java.nio.file.Path;
import tenon.optim.tensorboard.TensorBoardWriter;
import tenon.optim.train.Callback;

/**
 * How a command looks at the run that it trains, which decides nothing about the numbers.
 *
 * @param printer shows progress
 * @param limits when to stop before the end
 * @param tensorBoardEvery updates between points of TensorBoard's curves, 0: no event files
 */
record Watching(Callback printer, StopLimits limits, int tensorBoardEvery) {
    /** The writer of event files, or null. */
    TensorBoardWriter tensorBoard(Path folder, Branch branch) {
        return tensorBoardEvery == 0
                ? null
                : new TensorBoardWriter(
                        folder.resolve("tensorboard").resolve("branch-" + branch.number()), tensorBoardEvery);
    }
}
