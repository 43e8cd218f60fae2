package tenon.apps.training;

/**
 * A stretch of a run that was trained without going back. A run begins with branch 1; going back to an earlier checkpoint, or on at another rate, begins a further
 * one, and nothing of the earlier ones is lost.
 *
 * @param number from 1
 * @param parent number of the branch that it left, 0 for the first
 * @param epoch epochs done where it began
 * @param checkpoint what it began from, relative to the run's folder; null for the first
 * @param rate that it began with, or null if the schedule went on
 */
public record Branch(int number, int parent, int epoch, String checkpoint, Double rate) {
    static final Branch FIRST = new Branch(1, 0, 0, null, null);

    /** Name of its folder of checkpoints. */
    String checkpoints() {
        return number == 1 ? "checkpoints" : "checkpoints-" + number;
    }

    /** Name of its history without ending, once another branch is the run's newest; until then it is {@code history}. */
    String history() {
        return "history-" + number;
    }
}
