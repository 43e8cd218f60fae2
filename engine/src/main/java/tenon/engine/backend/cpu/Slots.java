package tenon.engine.backend.cpu;

import java.util.Arrays;

/** Collects a primitive's arguments, some of which depend on its settings. */
final class Slots {
    private int[] arguments = new int[0];

    void add(int... more) {
        int count = arguments.length;
        arguments = Arrays.copyOf(arguments, count + more.length);
        System.arraycopy(more, 0, arguments, count, more.length);
    }

    void addIf(boolean wanted, int argument) {
        if (wanted) {
            add(argument);
        }
    }

    int[] toArray() {
        return arguments;
    }
}
