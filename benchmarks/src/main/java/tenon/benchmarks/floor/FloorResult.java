package tenon.benchmarks.floor;

import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import tenon.engine.Precision;

/**
 * The floor of a network's training step; times are medians in seconds.
 *
 * @param steps how many were timed
 * @param chainedSeconds forward and backward
 * @param updateSeconds the weight update
 * @param stepSeconds forward, backward and update
 * @param lines in the order of the chain
 */
public record FloorResult(
        int batch,
        Precision precision,
        int threads,
        int steps,
        double chainedSeconds,
        double updateSeconds,
        double stepSeconds,
        List<Line> lines) {
    /**
     * One primitive.
     *
     * @param family e.g. {@code conv backward weights}
     * @param layer dotted name
     * @param shape of its largest activation, or of the weight
     * @param implementation oneDNN's name of the kernel
     * @param reference whether that is a plain loop
     * @param flops floating-point operations, 0 where memory decides
     * @param bytes read and written
     * @param aloneSeconds NaN where not measured
     */
    public record Line(
            String family,
            String layer,
            String shape,
            String implementation,
            boolean reference,
            long flops,
            long bytes,
            double chainedSeconds,
            double aloneSeconds) {}

    /** Without the update. */
    public double chainedImagesPerSecond() {
        return batch / chainedSeconds;
    }

    /** With the update: what a training step is compared with. */
    public double imagesPerSecond() {
        return batch / stepSeconds;
    }

    /** Sum over the primitives; NaN where not measured. */
    public double aloneSeconds() {
        return lines.stream().mapToDouble(Line::aloneSeconds).sum();
    }

    /** Floating-point operations of a step's convolutions and dense layers. */
    public long flops() {
        return lines.stream().mapToLong(Line::flops).sum();
    }

    /** Chained seconds of each family of primitives, most expensive first. */
    public Map<String, Double> families() {
        Map<String, Double> sums = new LinkedHashMap<>();
        lines.forEach(line -> sums.merge(line.family(), line.chainedSeconds(), Double::sum));
        Map<String, Double> sorted = new LinkedHashMap<>();
        sums.entrySet().stream()
                .sorted(Map.Entry.<String, Double>comparingByValue().reversed())
                .forEach(entry -> sorted.put(entry.getKey(), entry.getValue()));
        return sorted;
    }

    /** One line per primitive, most expensive first, then families and totals. */
    public String table() {
        StringBuilder text = new StringBuilder();
        line(
                text,
                "%9s %9s %8s %7s  %-21s %-28s %-20s %s%n",
                "chained",
                "alone",
                "GFLOP/s",
                "GB/s",
                "op",
                "layer",
                "shape",
                "implementation");
        lines.stream()
                .sorted(Comparator.comparingDouble(Line::chainedSeconds).reversed())
                .forEach(row -> line(
                        text,
                        "%6.3f ms %6.3f ms %8s %7.1f  %-21s %-28s %-20s %s%n",
                        1e3 * row.chainedSeconds(),
                        1e3 * row.aloneSeconds(),
                        row.flops() == 0 ? "" : Long.toString(Math.round(1e-9 * row.flops() / row.chainedSeconds())),
                        1e-9 * row.bytes() / row.chainedSeconds(),
                        row.family(),
                        row.layer(),
                        row.shape(),
                        row.implementation() + (row.reference() ? "  REFERENCE" : "")));
        families()
                .forEach((family, seconds) ->
                        line(text, "%8.2f ms %5.1f %%  %s%n", 1e3 * seconds, 100 * seconds / stepSeconds, family));
        line(text, "%8.2f ms %5.1f %%  update%n", 1e3 * updateSeconds, 100 * updateSeconds / stepSeconds);
        line(text, "chained       %9.2f ms  %8.2f images/s%n", 1e3 * chainedSeconds, chainedImagesPerSecond());
        line(text, "with update   %9.2f ms  %8.2f images/s%n", 1e3 * stepSeconds, imagesPerSecond());
        if (!Double.isNaN(aloneSeconds())) {
            line(text, "alone, summed %9.2f ms  %8.2f images/s%n", 1e3 * aloneSeconds(), batch / aloneSeconds());
        }
        return text.toString();
    }

    private static void line(StringBuilder text, String format, Object... values) {
        text.append(String.format(Locale.ROOT, format, values));
    }

    /** For {@code --json}: strings, numbers, lists and maps. */
    public Map<String, Object> json() {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("batch", batch);
        json.put("precision", precision.toString());
        json.put("threads", threads);
        json.put("floor_images_per_second", imagesPerSecond());
        json.put("floor_without_update_images_per_second", chainedImagesPerSecond());
        json.put("alone_images_per_second", Double.isNaN(aloneSeconds()) ? null : batch / aloneSeconds());
        json.put("update_ms", 1e3 * updateSeconds);
        json.put("gflop", 1e-9 * flops());
        json.put("reference_primitives", lines.stream().filter(Line::reference).count());
        Map<String, Object> milliseconds = new LinkedHashMap<>();
        families().forEach((family, seconds) -> milliseconds.put(family, 1e3 * seconds));
        json.put("family_ms", milliseconds);
        return json;
    }
}
