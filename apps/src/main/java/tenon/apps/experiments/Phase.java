package tenon.apps.experiments;

/**
 * Epochs at one rate, counted from 1.
 *
 * @param to the last one; the next phase started from its checkpoint
 * @param triedTo how far the original trained at this rate before it went back to {@code to}; equal to it where it did not
 */
public record Phase(int from, int to, double rate, int triedTo) {
    public Phase {
        if (from < 1 || to < from || triedTo < to || !(rate > 0)) {
            throw new IllegalArgumentException("phase: epochs must rise from 1, and the rate must be positive: from="
                    + from + ", to=" + to + ", triedTo=" + triedTo + ", rate=" + rate);
        }
    }
}
