package tenon.apps.experiments;

/**
 * Pictures of one update.
 *
 * @param perDevice on each of the original's devices
 * @param dropsLast whether an epoch leaves a shorter last batch out
 */
public record Batch(int perDevice, int devices, boolean dropsLast) {
    static Batch of(int size) {
        return new Batch(size, 1, false);
    }

    static Batch of(int perDevice, int devices) {
        return new Batch(perDevice, devices, false);
    }

    Batch droppingTheLast() {
        return new Batch(perDevice, devices, true);
    }

    public int size() {
        return perDevice * devices;
    }

    @Override
    public String toString() {
        return size() + (devices == 1 ? "" : " (" + devices + " devices of " + perDevice + ")");
    }
}
