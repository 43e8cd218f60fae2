package tenon.optim.train;

import java.util.ArrayList;
import java.util.List;

/**
 * Parameters by their number, in groups whose gradients are summed over devices together: in the order in which a backward pass finishes them, so that a group's sum runs while the next one's
 * gradients are computed, and large enough that a sum is bound by bandwidth, not latency (Li et al. 2020, "PyTorch Distributed", section 3.2.3).
 */
record GradientBuckets(List<List<Integer>> buckets) {
    /**
     * @param order numbers of parameters
     * @param sizes of all parameters' gradients, in bytes
     * @param bytes that close a bucket when it has them
     */
    static GradientBuckets of(List<Integer> order, long[] sizes, long bytes) {
        List<List<Integer>> buckets = new ArrayList<>();
        long open = Long.MAX_VALUE;
        for (int parameter : order) {
            if (open >= bytes) {
                buckets.add(new ArrayList<>());
                open = 0;
            }
            buckets.getLast().add(parameter);
            open += sizes[parameter];
        }
        return new GradientBuckets(buckets);
    }

    int size() {
        return buckets.size();
    }

    List<Integer> bucket(int i) {
        return buckets.get(i);
    }
}
