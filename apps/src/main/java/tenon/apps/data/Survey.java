package tenon.apps.data;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import tenon.engine.TenonException;
import tenon.io.image.ImageHeader;
import tenon.io.record.ImageEncoding;
import tenon.io.record.Label;
import tenon.io.record.LabelKind;
import tenon.io.record.RecordSchema;
import tenon.io.record.Records;
import tenon.io.record.SampleBuffer;

/**
 * What only the samples themselves tell: sizes of encoded pictures and the classes of boxes, of at most {@link #MOST} samples that lie evenly over the
 * files.
 *
 * @param sizes pictures by {@code WIDTHxHEIGHT} as stored, the most frequent first
 * @param boxes number of boxes by class name, in the order of the classes; empty unless labels are boxes
 * @param unreadable samples that are damaged or hold no picture; {@code --verify} names them
 */
record Survey(int looked, Map<String, Integer> sizes, Map<String, Integer> boxes, int unreadable) {
    private static final int MOST = 2000;
    private static final int SHOWN = 8;

    /** Numbers of at most {@code most} samples, evenly over all, in rising order. */
    static int[] spread(int sampleCount, int most) {
        int count = Math.min(most, sampleCount);
        int[] samples = new int[count];
        for (int i = 0; i < count; i++) {
            samples[i] = (int) ((long) i * sampleCount / count);
        }
        return samples;
    }

    static Survey of(Records records) {
        RecordSchema schema = records.schema();
        Map<String, Integer> sizes = new TreeMap<>();
        int[] boxes = new int[schema.classNames().size()];
        int unreadable = 0;
        SampleBuffer buffer = new SampleBuffer();
        int[] samples = spread(records.sampleCount(), MOST);
        for (int sample : samples) {
            try {
                records.read(sample, buffer);
                if (schema.encoding() == ImageEncoding.ENCODED) {
                    ImageHeader header = ImageHeader.sniff(buffer.bytes(), buffer.imageBytes(), "");
                    sizes.merge(header.width() + "x" + header.height(), 1, Integer::sum);
                }
                if (records.label(sample, buffer) instanceof Label.OfBoxes of) {
                    of.boxes().forEach(box -> boxes[box.classIndex()]++);
                }
            } catch (TenonException _) {
                unreadable++;
            }
        }
        Map<String, Integer> byFrequency = sizes.entrySet().stream()
                .sorted(Map.Entry.comparingByValue(Comparator.reverseOrder()))
                .collect(Collectors.toMap(Map.Entry::getKey, Map.Entry::getValue, (a, _) -> a, LinkedHashMap::new));
        Map<String, Integer> named = new LinkedHashMap<>();
        for (int i = 0; i < boxes.length && schema.label() == LabelKind.BOXES; i++) {
            named.put(schema.classNames().get(i), boxes[i]);
        }
        return new Survey(samples.length, byFrequency, named, unreadable);
    }

    /** @param sampleCount of all samples */
    List<String> lines(int sampleCount) {
        List<String> lines = new ArrayList<>();
        String of = looked == sampleCount ? "" : " (in " + looked + " samples, evenly over all)";
        if (!sizes.isEmpty()) {
            lines.add("pictures  "
                    + sizes.entrySet().stream()
                            .limit(SHOWN)
                            .map(size -> size.getKey() + ": " + size.getValue())
                            .collect(Collectors.joining(", "))
                    + (sizes.size() > SHOWN ? ", and " + (sizes.size() - SHOWN) + " other sizes" : "") + of);
        }
        if (!boxes.isEmpty()) {
            lines.add("boxes     " + boxes.values().stream().mapToInt(n -> n).sum() + of);
            lines.addAll(CountLines.of(boxes));
        }
        if (unreadable > 0) {
            lines.add("damaged   " + unreadable + of + ": --verify names them");
        }
        return lines;
    }
}
