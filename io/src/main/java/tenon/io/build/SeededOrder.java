package tenon.io.build;

import java.util.ArrayList;
import java.util.List;
import tenon.engine.Rng;

/** The order that a seed gives to a list. */
final class SeededOrder {
    private SeededOrder() {}

    static <T> List<T> shuffled(List<T> list, long seed) {
        int[] order = new int[list.size()];
        for (int i = 0; i < order.length; i++) {
            order[i] = i;
        }
        new Rng(seed, Rng.stream("build.shuffle"), 0).shuffle(order);
        List<T> out = new ArrayList<>(order.length);
        for (int i : order) {
            out.add(list.get(i));
        }
        return out;
    }
}
