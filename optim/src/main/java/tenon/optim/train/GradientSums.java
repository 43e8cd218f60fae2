package tenon.optim.train;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.IdentityHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import tenon.engine.Tensor;
import tenon.engine.backend.Communicator;
import tenon.layers.Parameter;
import tenon.optim.Optimizer;

/**
 * One device's part in the sums of a step's gradients. All ranks sum the same buckets in the same order, whatever their own gradients' order is: a bucket waits for those before it.
 */
final class GradientSums {
    private final Optimizer optimizer;
    private final Communicator communicator;
    private final List<Parameter> parameters;
    private final Map<Tensor, Integer> numbers = new IdentityHashMap<>();
    /** Parameters in the order in which a backward pass of this step finished them last. */
    private final Set<Integer> order = new LinkedHashSet<>();

    private GradientBuckets buckets;
    /** By parameter. */
    private final int[] bucketOf;
    /** By bucket: gradients that are not finished. */
    private int[] missing;

    private int started;

    GradientSums(Optimizer optimizer, Communicator communicator) {
        this.optimizer = optimizer;
        this.communicator = communicator;
        parameters = optimizer.parameters();
        bucketOf = new int[parameters.size()];
        for (int i = 0; i < parameters.size(); i++) {
            numbers.put(parameters.get(i).value(), i);
        }
    }

    /** A step's. */
    void begin() {
        order.clear();
    }

    /** Keeps in mind when a leaf's gradient was finished. */
    void note(Tensor leaf) {
        Integer number = numbers.get(leaf);
        if (number != null) {
            order.remove(number);
            order.add(number);
        }
    }

    /** Of the parameters that move, by what {@link #note} saw in this step; those that it did not see come last. */
    GradientBuckets buckets(long bytes) {
        Set<Integer> all = new LinkedHashSet<>(order);
        moving().forEach(all::add);
        all.removeIf(number -> !parameters.get(number).trainable());
        long[] sizes = parameters.stream()
                .mapToLong(parameter -> parameter.value().byteSize())
                .toArray();
        return GradientBuckets.of(List.copyOf(all), sizes, bytes);
    }

    private IntStream moving() {
        return IntStream.range(0, parameters.size())
                .filter(number -> parameters.get(number).trainable());
    }

    boolean fits(GradientBuckets given) {
        int[] theirs = given.buckets().stream()
                .flatMap(List::stream)
                .mapToInt(Integer::intValue)
                .sorted()
                .toArray();
        return Arrays.equals(theirs, moving().toArray());
    }

    /** Begins with a step's sums, before the device's last batch. */
    void start(GradientBuckets given) {
        if (given != buckets) {
            buckets = given;
            missing = new int[given.size()];
        }
        started = 0;
        for (int i = 0; i < given.size(); i++) {
            missing[i] = given.bucket(i).size();
            for (int number : given.bucket(i)) {
                bucketOf[number] = i;
            }
        }
    }

    /** The last batch has finished a leaf's gradient. */
    void finished(Tensor leaf) {
        Integer number = numbers.get(leaf);
        if (number == null) {
            return;
        }
        missing[bucketOf[number]]--;
        while (started < missing.length && missing[started] == 0) {
            sumNext();
        }
    }

    /** All gradients are there: sums the rest, and has the device's next work wait for all sums. */
    void finish() {
        optimizer.gradients(); // says which one is missing
        while (started < missing.length) {
            sumNext();
        }
        communicator.awaitSums();
    }

    private void sumNext() {
        List<Tensor> gradients = new ArrayList<>();
        for (int number : buckets.bucket(started)) {
            gradients.add(parameters.get(number).value().grad());
        }
        communicator.startSum(gradients);
        started++;
    }
}
