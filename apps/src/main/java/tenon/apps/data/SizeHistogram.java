package tenon.apps.data;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import tenon.io.record.Records;

/**
 * How large the stored images are, in classes that double: from 2^k up to, and without, 2^(k+1) bytes.
 *
 * @param counts images in each class, by k
 */
record SizeHistogram(int smallest, int median, int largest, double mean, int[] counts) {
    private static final int BAR = 40;

    static SizeHistogram of(Records records) {
        int[] sizes = new int[records.sampleCount()];
        int[] counts = new int[32];
        double sum = 0;
        for (int i = 0; i < sizes.length; i++) {
            sizes[i] = records.imageBytes(i);
            counts[binOf(sizes[i])]++;
            sum += sizes[i];
        }
        Arrays.sort(sizes);
        int last = sizes.length - 1;
        return sizes.length == 0
                ? new SizeHistogram(0, 0, 0, 0, counts)
                : new SizeHistogram(sizes[0], sizes[last / 2], sizes[last], sum / sizes.length, counts);
    }

    private static int binOf(int size) {
        return 31 - Integer.numberOfLeadingZeros(Math.max(1, size));
    }

    List<String> lines() {
        List<String> lines = new ArrayList<>();
        if (smallest == largest) {
            lines.add(String.format(Locale.ROOT, "bytes     %,d in each image", smallest));
            return lines;
        }
        lines.add(String.format(
                Locale.ROOT,
                "bytes     per image: smallest %,d, median %,d, mean %,.0f, largest %,d",
                smallest,
                median,
                mean,
                largest));
        int most = 1;
        for (int count : counts) {
            most = Math.max(most, count);
        }
        for (int bin = binOf(smallest); bin <= binOf(largest); bin++) {
            lines.add(String.format(Locale.ROOT, "  from %8s  %8d  %s", unit(1L << bin), counts[bin], "#".repeat((int)
                                    Math.ceil((double) BAR * counts[bin] / most)))
                    .stripTrailing());
        }
        return lines;
    }

    private static String unit(long bytes) {
        return bytes >= 1 << 20 ? (bytes >> 20) + " MiB" : bytes >= 1 << 10 ? (bytes >> 10) + " KiB" : bytes + " B";
    }

    Map<String, Object> json() {
        List<Map<String, Object>> bins = new ArrayList<>();
        for (int bin = 0; bin < counts.length; bin++) {
            if (counts[bin] > 0) {
                bins.add(Map.of("from", 1L << bin, "to", 1L << bin + 1, "count", counts[bin]));
            }
        }
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("smallest", smallest);
        json.put("median", median);
        json.put("mean", mean);
        json.put("largest", largest);
        json.put("histogram", bins);
        return json;
    }
}
