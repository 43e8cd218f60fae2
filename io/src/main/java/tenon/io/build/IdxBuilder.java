package tenon.io.build;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import tenon.engine.Rng;
import tenon.io.image.Image;
import tenon.io.record.Label;
import tenon.io.record.LabelKind;

/**
 * Turns a pair of IDX files (images [N, H, W], labels [N]; plain or gzip) into record files of H×W×1 images with class labels, and optionally
 * a second split with samples held out. Samples keep their order; the key is the number in the IDX file.
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

    /**
     * Builds the splits.
     *
     * @throws BuildException when the IDX files are absent, damaged or do not fit each other, or as {@link ShardedBuild#run} says
     */
    public BuildReport build(BuildSettings settings) {
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
            List<BuildItem> kept = new ArrayList<>();
            List<BuildItem> held = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                (heldOut.get(i) ? held : kept).add(item(i, pixels, classes));
            }
            ShardedBuild build = new ShardedBuild("idx", settings)
                    .labels(LabelKind.CLASS, 0, classNames)
                    .inputSize(new PixelSize(pixels.dim(1), pixels.dim(2), 1))
                    .option("images", images.getFileName().toString())
                    .option("labels", labels.getFileName().toString())
                    .input(images)
                    .input(labels)
                    .split(split, kept);
            if (holdOut != null) {
                build.option("holdOut", holdOut + " " + holdOutCount + " into " + holdOutSplit)
                        .option("holdOutSeed", Long.toString(seed))
                        .split(holdOutSplit, held);
            }
            return build.run();
        }
    }

    private BuildItem item(int i, IdxFile pixels, IdxFile classes) {
        int label = classes.item(i)[0] & 0xFF;
        if (label >= classNames.size()) {
            throw new BuildException("idx builder: label " + i + " of " + labels + " must lie in [0, "
                    + classNames.size() + "): given=" + label);
        }
        int height = pixels.dim(1);
        int width = pixels.dim(2);
        ImageInput image = ImageInput.within(
                pixels.itemBytes(), () -> new ImageInput.Pixels(new Image(width, height, 1, pixels.item(i))));
        return new BuildItem(Integer.toString(i), images.getFileName() + "#" + i, image, Label.ofClass(label));
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
}
