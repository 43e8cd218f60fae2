package tenon.io.build;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import tenon.io.image.Filter;
import tenon.io.image.Image;
import tenon.io.record.Label;
import tenon.io.record.LabelKind;

/** A build in a process of its own, to be killed or to run out of disk: noise of 48×48, two splits of three files. */
final class BuildInChild {
    static final int IMAGES = 300;
    static final String WRITING = "writing";

    private BuildInChild() {}

    public static void main(String[] arguments) {
        try {
            build(BuildSettings.into(Path.of(arguments[0])), Integer.parseInt(arguments[1]), true);
            System.out.println("done");
        } catch (RuntimeException e) {
            System.out.println("failed: " + e.getMessage());
            System.exit(1);
        }
    }

    /** @param microseconds that every image takes, so that the writing phase is long enough to be hit */
    static BuildReport build(BuildSettings settings, int microseconds, boolean tell) {
        List<BuildItem> items = new ArrayList<>();
        for (int i = 0; i < IMAGES; i++) {
            int number = i;
            ImageInput image = ImageInput.within(48 * 48 * 3, () -> noise(number, microseconds));
            items.add(new BuildItem("k" + i, "source " + i, image, Label.ofClass(i % 2)));
        }
        boolean[] told = {!tell};
        return new ShardedBuild(
                        "noise",
                        settings.shards(3)
                                .threads(2)
                                .store(new ImageStore(ResizeRule.NONE, Filter.AREA, StoreEncoding.RAW, 95, 3))
                                .progress((_, _, _) -> {
                                    if (!told[0]) {
                                        told[0] = true;
                                        System.out.println(WRITING);
                                    }
                                }))
                .labels(LabelKind.CLASS, 0, List.of("even", "odd"))
                .inputSize(new PixelSize(48, 48, 3))
                .split("train", items.subList(0, 200))
                .split("test", items.subList(200, IMAGES))
                .run();
    }

    private static ImageInput.Data noise(int number, int microseconds) throws IOException {
        if (number == 77) {
            throw new IOException("image 77 is missing");
        }
        try {
            TimeUnit.MICROSECONDS.sleep(microseconds);
        } catch (InterruptedException e) {
            throw new IOException(e);
        }
        byte[] pixels = new byte[48 * 48 * 3];
        new SplittableRandom(number).nextBytes(pixels);
        return new ImageInput.Pixels(new Image(48, 48, 3, pixels));
    }
}
