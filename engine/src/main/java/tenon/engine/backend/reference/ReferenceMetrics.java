package tenon.engine.backend.reference;

import java.util.Comparator;
import java.util.stream.IntStream;
import tenon.engine.Tensor;
import tenon.engine.backend.MetricKernels;

final class ReferenceMetrics implements MetricKernels {
    @Override
    public void topK(Tensor input, int k, Tensor output) {
        Elements x = Elements.of(input);
        Elements y = Elements.of(output);
        int classes = input.shape().dim(1);
        for (int n = 0; n < input.shape().dim(0); n++) {
            long start = (long) n * classes;
            // A stable sort keeps the lower index first. Adding 0.0 makes −0.0 equal to 0.0; compare puts NaN on top.
            Comparator<Integer> descending = (a, b) -> Double.compare(x.get(start + b) + 0.0, x.get(start + a) + 0.0);
            int[] order = IntStream.range(0, classes)
                    .boxed()
                    .sorted(descending)
                    .mapToInt(c -> c)
                    .toArray();
            for (int i = 0; i < k; i++) {
                y.set((long) n * k + i, order[i]);
            }
        }
    }
}
