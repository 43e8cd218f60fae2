package tenon.io.build;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Named shares of a shuffled list; what is left goes to the first split.
 *
 * @param rest name of the first split
 * @param shares share in (0, 1) of each further split
 * @param stratified true to take each share of every class, false to take it of the whole list
 */
record Splits(String rest, Map<String, Double> shares, boolean stratified) {
    Splits {
        shares = new LinkedHashMap<>(shares);
        double sum = 0;
        for (Map.Entry<String, Double> share : shares.entrySet()) {
            check(share.getValue() > 0 && share.getValue() < 1, "a share must lie between 0 and 1: " + share);
            check(!share.getKey().equals(rest), "two splits have the name '" + rest + "'");
            sum += share.getValue();
        }
        check(sum < 1, "shares must add up to less than 1: " + shares);
    }

    private static void check(boolean holds, String what) {
        if (!holds) {
            throw new BuildException("split: " + what);
        }
    }

    List<String> names() {
        List<String> names = new ArrayList<>();
        names.add(rest);
        names.addAll(shares.keySet());
        return names;
    }

    /**
     * The split of every item, as an index into {@link #names()}: each split gets round(share·n) items, the last ones of the list.
     *
     * @param classes class of each item, in list order
     */
    int[] assign(int[] classes, int classCount) {
        int[] splitOf = new int[classes.length];
        if (stratified) {
            for (int c = 0; c < classCount; c++) {
                List<Integer> members = new ArrayList<>();
                for (int i = 0; i < classes.length; i++) {
                    if (classes[i] == c) {
                        members.add(i);
                    }
                }
                assign(members, splitOf);
            }
        } else {
            List<Integer> all = new ArrayList<>();
            for (int i = 0; i < classes.length; i++) {
                all.add(i);
            }
            assign(all, splitOf);
        }
        int[] counts = new int[names().size()];
        for (int split : splitOf) {
            counts[split]++;
        }
        for (int s = 0; s < counts.length; s++) {
            check(
                    counts[s] > 0,
                    "'" + names().get(s) + "' would be empty: images=" + classes.length + ", shares=" + shares);
        }
        return splitOf;
    }

    private void assign(List<Integer> items, int[] splitOf) {
        int end = items.size();
        List<Double> values = List.copyOf(shares.values());
        for (int s = values.size(); s >= 1; s--) {
            int count = (int) Math.round(values.get(s - 1) * items.size());
            for (int i = Math.max(0, end - count); i < end; i++) {
                splitOf[items.get(i)] = s;
            }
            end -= count;
        }
    }
}
