package tenon.io.build;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import tenon.engine.Rng;
import tenon.io.record.Label;
import tenon.io.record.RecordSchema;
import tenon.io.record.RecordWriter;

/**
 * Turns a pair of IDX files (images [N, H, W], labels [N]; plain or gzip) into a record file of raw H×W×1 images with class labels, and
 * optionally a second one with samples held out. Samples keep their order; the key is the number in the IDX file.
 */
public final class IdxBuilder {
    private enum HoldOut {
        LAST,
        SEEDED
    }

    private final Path images;
    private final Path labels;
    private final List<String> classNames;
    private String split = "train";
    private String holdOutSplit;
    private int holdOutCount;
    private HoldOut holdOut;
    private long seed;
    private BuildProgress progress = BuildProgress.NONE;

    /** @param classNames one per label value, from 0 */
    public IdxBuilder(Path images, Path labels, List<String> classNames) {
        this.images = images;
        this.labels = labels;
        this.classNames = List.copyOf(classNames);
    }

    /** Name of the split, {@code train} unless said otherwise; the file is {@code split.trec}. */
    public IdxBuilder split(String name) {
        split = name;
        return this;
    }

    /** Holds the last {@code count} samples out into {@code name.trec}. */
    public IdxBuilder holdOutLast(String name, int count) {
        holdOutSplit = name;
        holdOutCount = count;
        holdOut = HoldOut.LAST;
        return this;
    }

    /** Holds {@code count} samples, chosen by the seed, out into {@code name.trec}. */
    public IdxBuilder holdOutSeeded(String name, int count, long choiceSeed) {
        holdOutSplit = name;
        holdOutCount = count;
        holdOut = HoldOut.SEEDED;
        seed = choiceSeed;
        return this;
    }

    public IdxBuilder progress(BuildProgress listener) {
        progress = listener;
        return this;
    }

    /**
     * Writes the files.
     *
     * @throws BuildException when the IDX files are absent, damaged or do not fit each other
     * @throws tenon.io.record.RecordException when writing fails; the file being written is not replaced then
     */
    public BuildReport build(Path outputFolder) {
        try (IdxFile pixels = new IdxFile(images, 3);
                IdxFile classes = new IdxFile(labels, 1)) {
            int count = pixels.itemCount();
            if (classes.itemCount() != count) {
                throw new BuildException("idx builder: images and labels must be equally many: images=" + count + " in "
                        + images + ", labels=" + classes.itemCount() + " in " + labels);
            }
            if (holdOut != null && (holdOutCount < 1 || holdOutCount >= count)) {
                throw new BuildException(
                        "idx builder: samples held out must lie in [1, " + count + "): given=" + holdOutCount);
            }
            BitSet heldOut = chooseHeldOut(count);
            Path file = outputFolder.resolve(split + ".trec");
            Path heldFile = holdOut == null ? null : outputFolder.resolve(holdOutSplit + ".trec");
            try (RecordWriter writer = RecordWriter.create(file, schema(split, pixels));
                    RecordWriter heldWriter =
                            holdOut == null ? null : RecordWriter.create(heldFile, schema(holdOutSplit, pixels))) {
                for (int i = 0; i < count; i++) {
                    int label = classes.next()[0] & 0xFF;
                    if (label >= classNames.size()) {
                        throw new BuildException("idx builder: label " + i + " of " + labels + " must lie in [0, "
                                + classNames.size() + "): given=" + label);
                    }
                    RecordWriter target = heldOut.get(i) ? heldWriter : writer;
                    target.add(
                            pixels.next(), Label.ofClass(label), Integer.toString(i), images.getFileName() + "#" + i);
                    if ((i + 1) % 1000 == 0 || i + 1 == count) {
                        progress.update(file.getFileName().toString(), i + 1, count);
                    }
                }
                writer.commit();
                List<BuildReport.Part> parts = new ArrayList<>();
                parts.add(new BuildReport.Part(split, file, writer.sampleCount()));
                if (heldWriter != null) {
                    heldWriter.commit();
                    parts.add(new BuildReport.Part(holdOutSplit, heldFile, heldWriter.sampleCount()));
                }
                return new BuildReport(List.copyOf(parts), List.of());
            }
        }
    }

    private BitSet chooseHeldOut(int count) {
        BitSet chosen = new BitSet(count);
        if (holdOut == HoldOut.LAST) {
            chosen.set(count - holdOutCount, count);
        } else if (holdOut == HoldOut.SEEDED) {
            int[] order = new int[count];
            for (int i = 0; i < count; i++) {
                order[i] = i;
            }
            new Rng(seed, Rng.stream("build.holdout"), 0).shuffle(order);
            for (int i = 0; i < holdOutCount; i++) {
                chosen.set(order[i]);
            }
        }
        return chosen;
    }

    private RecordSchema schema(String name, IdxFile pixels) {
        Map<String, String> options = new TreeMap<>();
        options.put("builder", "idx");
        options.put("images", images.getFileName().toString());
        options.put("labels", labels.getFileName().toString());
        if (holdOut != null) {
            options.put("holdOut", holdOut + " " + holdOutCount + " into " + holdOutSplit);
            options.put("seed", Long.toString(seed));
        }
        return RecordSchema.rawClasses(name, pixels.dim(1), pixels.dim(2), 1, classNames)
                .withBuild(options);
    }
}
