package tenon.io.sets;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tenon.io.build.BuildSettings;
import tenon.io.build.ImageListBuilder;
import tenon.io.build.ImageStore;
import tenon.io.build.ListFile;
import tenon.io.build.ResizeRule;
import tenon.io.build.StoreEncoding;
import tenon.io.image.Filter;
import tenon.io.image.Image;
import tenon.io.image.ImageCodec;
import tenon.io.image.Resize;
import tenon.io.record.Records;
import tenon.io.record.Sample;
import tenon.io.synth.Painter;

/** A list of pictures is packed as {@code im2rec … resize=256 encoding=… quality=…} packs it. */
class Im2recTest {
    private static final int[][] SIZES = {{500, 375}, {375, 500}, {100, 200}, {256, 300}};

    @TempDir
    private Path folder;

    private final List<Image> pictures = new ArrayList<>();
    private Path list;

    @BeforeEach
    void draw() throws IOException {
        Painter painter = new Painter(1);
        StringBuilder lines = new StringBuilder();
        for (int i = 0; i < SIZES.length; i++) {
            Image picture = painter.draw(i, 0, SIZES[i][0], SIZES[i][1]);
            pictures.add(picture);
            Path file = Files.write(folder.resolve(i + ".png"), ImageCodec.encodePng(picture));
            lines.append(new ListFile.Entry(10 + i, new float[] {3 - i}, file.toString()).line())
                    .append('\n');
        }
        list = Files.writeString(folder.resolve("some.lst"), lines);
    }

    private List<Sample> pack(StoreEncoding encoding, int quality) {
        Path file = folder.resolve(encoding + "-" + quality + ".trec");
        ImageStore store = new ImageStore(new ResizeRule.ShortSide(256, true), Filter.BILINEAR, encoding, quality, 3);
        new ImageListBuilder(list).build(BuildSettings.into(file).store(store));
        List<Sample> samples = new ArrayList<>();
        try (Records records = Records.open(file)) {
            assertThat(records.sampleCount()).isEqualTo(SIZES.length);
            for (int i = 0; i < records.sampleCount(); i++) {
                samples.add(records.read(i));
                assertThat(records.key(i)).isEqualTo(Integer.toString(10 + i));
                assertThat(records.classIndex(i)).isEqualTo(3 - i);
            }
        }
        return samples;
    }

    @Test
    void theShorterSideBecomes256() {
        int[][] wanted = {{341, 256}, {256, 341}, {256, 512}, {256, 300}};
        List<Sample> samples = pack(StoreEncoding.JPEG, 100);
        for (int i = 0; i < wanted.length; i++) {
            Image image = ImageCodec.decode(samples.get(i).image(), "sample");
            assertThat(new int[] {image.width(), image.height()}).containsExactly(wanted[i]);
        }
    }

    @Test
    void pngLosesNothingAndQualityCostsBytes() {
        List<Sample> best = pack(StoreEncoding.JPEG, 100);
        List<Sample> worse = pack(StoreEncoding.JPEG, 50);
        List<Sample> png = pack(StoreEncoding.PNG, 95);
        for (int i = 0; i < SIZES.length; i++) {
            assertThat(best.get(i).image().length)
                    .isGreaterThan(3 * worse.get(i).image().length);
            Image resized = Resize.shortSide(pictures.get(i), 256, true, Filter.BILINEAR);
            assertThat(ImageCodec.decode(png.get(i).image(), "sample").pixels()).isEqualTo(resized.pixels());
        }
    }
}
