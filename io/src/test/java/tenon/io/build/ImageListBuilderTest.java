package tenon.io.build;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tenon.io.image.Image;
import tenon.io.image.ImageCodec;
import tenon.io.record.Label;
import tenon.io.record.LabelKind;
import tenon.io.record.Records;

class ImageListBuilderTest {
    @TempDir
    Path root;

    private Path list(String text) throws IOException {
        return Files.writeString(root.resolve("train.lst"), text);
    }

    private void image(String name, int grey) throws IOException {
        Path file = root.resolve("images").resolve(name);
        Files.createDirectories(file.getParent());
        byte[] pixels = new byte[4 * 5 * 3];
        java.util.Arrays.fill(pixels, (byte) grey);
        Files.write(file, ImageCodec.encodePng(new Image(5, 4, 3, pixels)));
    }

    private BuildReport build(Path list) {
        return new ImageListBuilder(list)
                .root(root.resolve("images").toString())
                .build(BuildSettings.into(root.resolve("out")).threads(2));
    }

    @Test
    void recordsFollowTheList() throws IOException {
        for (int i = 0; i < 4; i++) {
            image("d/" + i + ".png", 10 * i);
        }
        BuildReport report = build(list("7\t2\td/1.png\r\n3\t0.000000\td/0.png\n\n11\t1\td/3.png\n0\t2\td/2.png"));
        try (Records records = Records.open(report.part("train").file())) {
            assertThat(records.schema().label()).isEqualTo(LabelKind.CLASS);
            assertThat(records.schema().classNames()).containsExactly("0", "1", "2");
            List<String> found = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                int grey = ImageCodec.decode(records.read(i).image(), "x").value(0, 0, 0);
                found.add(records.key(i) + " " + records.classIndex(i) + " " + grey);
                assertThat(records.source(i))
                        .startsWith(root.resolve("images/d").toString());
            }
            assertThat(found).containsExactly("7 2 10", "3 0 0", "11 1 30", "0 2 20");
        }
    }

    @Test
    void severalLabelsAreAVector() throws IOException {
        image("a.png", 1);
        image("b.png", 2);
        BuildReport report = build(list("0\t1\t0.5\t-3\ta.png\n1\t0\t2\t7e-2\tb.png\n"));
        try (Records records = Records.open(report.part("train").file())) {
            assertThat(records.schema().label()).isEqualTo(LabelKind.VECTOR);
            assertThat(records.schema().labelSize()).isEqualTo(3);
            assertThat(((Label.OfVector) records.read(1).label()).values()).containsExactly(0, 2, 0.07f);
        }
        BuildReport fractions = build(list("0\t0.5\ta.png\n1\t1\tb.png\n"));
        try (Records records = Records.open(fractions.part("train").file())) {
            assertThat(records.schema().label()).isEqualTo(LabelKind.VECTOR);
            assertThat(records.schema().labelSize()).isEqualTo(1);
        }
    }

    @Test
    void classesCanHaveNamesAndTheOrderCanBeDrawn() throws IOException {
        StringBuilder lines = new StringBuilder();
        for (int i = 0; i < 20; i++) {
            image(i + ".png", i);
            lines.append(i).append("\t").append(i % 2).append("\t").append(i).append(".png\n");
        }
        ImageListBuilder builder = new ImageListBuilder(list(lines.toString()))
                .root(root.resolve("images") + "/")
                .classes(List.of("even", "odd", "neither"))
                .split("some")
                .shuffled(true);
        BuildReport report = builder.build(BuildSettings.into(root.resolve("out")));
        List<Integer> keys = new ArrayList<>();
        try (Records records = Records.open(report.part("some").file())) {
            assertThat(records.schema().classNames()).containsExactly("even", "odd", "neither");
            for (int i = 0; i < 20; i++) {
                keys.add(Integer.valueOf(records.key(i)));
                assertThat(records.classIndex(i)).isEqualTo(keys.get(i) % 2);
            }
        }
        assertThat(keys).isNotEqualTo(keys.stream().sorted().toList()).doesNotHaveDuplicates();
        assertThatThrownBy(() -> builder.classes(List.of("even")).build(BuildSettings.into(root.resolve("out"))))
                .isInstanceOf(BuildException.class)
                .hasMessageContaining("labels must lie in [0, 1)");
    }

    @Test
    void missingImagesAreLeftOut() throws IOException {
        image("a.png", 1);
        BuildReport report = build(list("0\t0\ta.png\n1\t0\tno.png\n"));
        assertThat(report.sampleCount()).isEqualTo(1);
        assertThat(report.skipped()).hasSize(1);
        assertThat(report.skipped().getFirst().source()).endsWith("no.png");
    }

    @Test
    void aLineThatIsNoneIsRefusedWithItsNumber() throws IOException {
        expectRefused("0\t1\ta.png\n1 0 b.png\n", "line 2: a line must be index<TAB>label…<TAB>path: found 1 field ");
        expectRefused("0\ta.png\n", "line 1: a line must be");
        expectRefused("\t1\ta.png\n", "line 1: the index must be a whole number");
        expectRefused("-1\t1\ta.png\n", "the index must be a whole number");
        expectRefused("99999999999999999999\t1\ta.png\n", "the index must be a whole number");
        expectRefused("0\tone\ta.png\n", "line 1: a label must be a finite number: 'one'");
        expectRefused("0\tNaN\ta.png\n", "a label must be a finite number");
        expectRefused("0\t1e99\ta.png\n", "a label must be a finite number");
        expectRefused("0\t1\t \n", "the last field must be a path");
        expectRefused("0\t1\ta\0.png\n", "the last field must be a path");
        expectRefused("0\t1\ta.png\n0\t1\tb.png\n", "line 2: the index must be unique");
        expectRefused(
                "0\t1\ta.png\n1\t1\t2\tb.png\n",
                "index 1: every image must have as many labels as the first: first=1, given=2");
        expectRefused("\n\n", "there are no lines");
        expectRefused("0\t1\t" + "a".repeat(1 << 20), "line 1: a line must have at most 1048576 bytes");
        Path bytes = Files.write(root.resolve("train.lst"), "0\t1\t\u00e4.png".getBytes(StandardCharsets.ISO_8859_1));
        assertThatThrownBy(() -> build(bytes))
                .isInstanceOf(BuildException.class)
                .hasMessageContaining("no UTF-8");
        assertThatThrownBy(() -> build(root.resolve("no.lst")))
                .isInstanceOf(BuildException.class)
                .hasMessageContaining("there is no such file");
    }

    private void expectRefused(String text, String message) throws IOException {
        Path list = list(text);
        assertThatThrownBy(() -> build(list))
                .isInstanceOf(BuildException.class)
                .hasMessageContaining(list.toString())
                .hasMessageContaining(message);
    }

    @Test
    void aLabelOfMillionsMakesNoClassNames() throws IOException {
        image("a.png", 1);
        BuildReport report = build(list("0\t2000000000\ta.png\n"));
        try (Records records = Records.open(report.part("train").file())) {
            assertThat(records.schema().label()).isEqualTo(LabelKind.VECTOR);
        }
    }
}
