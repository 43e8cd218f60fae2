package tenon.io.sets;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;
import tenon.engine.Rng;
import tenon.io.build.BuildException;

/**
 * A sample drawn from a set in proportion to its classes, as scikit-learn's stratified split does: of each class ⌊drawn · size / total⌋, and one more of
 * those with the largest fractions until there are enough, ties at random; which members, and the order of both parts, is random.
 *
 * @param rest indices that were not drawn
 * @param drawn indices that were
 */
public record StratifiedSplit(int[] rest, int[] drawn) {
    private static final int STREAM = Rng.stream("split.stratified");

    /** @param count how many to draw, at least 1 and fewer than there are */
    public static StratifiedSplit of(int[] labels, int classCount, int count, long seed) {
        if (count < 1 || count >= labels.length) {
            throw new BuildException("stratified split: the number to draw must lie in [1, " + labels.length
                    + "), the number of images: given=" + count);
        }
        int[] sizes = new int[classCount];
        for (int label : labels) {
            sizes[label]++;
        }
        int[] quotas = quotas(sizes, labels.length, count, seed);
        int[][] members = new int[classCount][];
        for (int c = 0; c < classCount; c++) {
            members[c] = new int[sizes[c]];
        }
        int[] filled = new int[classCount];
        for (int i = 0; i < labels.length; i++) {
            members[labels[i]][filled[labels[i]]++] = i;
        }
        int[] rest = new int[labels.length - count];
        int[] drawn = new int[count];
        int r = 0;
        int d = 0;
        for (int c = 0; c < classCount; c++) {
            new Rng(seed, STREAM, 3 + c).shuffle(members[c]);
            System.arraycopy(members[c], 0, drawn, d, quotas[c]);
            System.arraycopy(members[c], quotas[c], rest, r, sizes[c] - quotas[c]);
            d += quotas[c];
            r += sizes[c] - quotas[c];
        }
        new Rng(seed, STREAM, 1).shuffle(rest);
        new Rng(seed, STREAM, 2).shuffle(drawn);
        return new StratifiedSplit(rest, drawn);
    }

    private static int[] quotas(int[] sizes, int total, int count, long seed) {
        int[] quotas = new int[sizes.length];
        long[] remainders = new long[sizes.length];
        int left = count;
        for (int c = 0; c < sizes.length; c++) {
            long product = (long) count * sizes[c];
            quotas[c] = (int) (product / total);
            remainders[c] = product % total;
            left -= quotas[c];
        }
        int[] shuffled = IntStream.range(0, sizes.length).toArray();
        new Rng(seed, STREAM, 0).shuffle(shuffled);
        List<Integer> order = new ArrayList<>(IntStream.of(shuffled).boxed().toList());
        order.sort(Comparator.comparingLong((Integer c) -> remainders[c]).reversed());
        for (int c : order.subList(0, left)) {
            quotas[c]++;
        }
        return quotas;
    }
}
