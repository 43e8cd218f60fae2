package tenon.apps.pictures;

import static org.assertj.core.api.Assertions.assertThat;

import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tenon.apps.pictures.ContactSheet.Cell;
import tenon.apps.pictures.ContactSheet.Scale;
import tenon.apps.pictures.TrainingChart.Curve;
import tenon.optim.metrics.ConfusionMatrix;

class PicturesTest {
    @Test
    void labelIsRedAtItsPlaceAndLeavesTheRestAlone() {
        BufferedImage grey = filled(300, 100, Color.GRAY);
        BufferedImage drawn = LabelDrawing.draw(grey, LabelDrawing.text("cats", 0.5587));

        assertThat(countRed(drawn, 8, 10, 180, 36)).isGreaterThan(100);
        assertThat(countRed(drawn, 0, 40, 300, 100)).isZero();
        assertThat(countRed(drawn, 0, 0, 9, 100)).isZero();
        assertThat(countRed(grey, 0, 0, 300, 100)).isZero();
    }

    @Test
    void labelTextHasTwoDecimals() {
        assertThat(LabelDrawing.text("cats", 0.54622066)).isEqualTo("cats: 54.62%");
        assertThat(LabelDrawing.text("panda", 1)).isEqualTo("panda: 100.00%");
    }

    @Test
    void onlyWrongPredictionsAreRed() {
        BufferedImage black = filled(28, 28, Color.BLACK);
        Cell right = Cell.judged(black, "Bag", "Bag", true);
        Cell wrong = Cell.judged(black, "Bag", "Coat", false);
        BufferedImage allRight = ContactSheet.draw(List.of(right, right), 2, Scale.EACH);
        assertThat(countRed(allRight, 0, 0, allRight.getWidth(), allRight.getHeight()))
                .isZero();
        BufferedImage sheet = ContactSheet.draw(List.of(right, wrong), 2, Scale.EACH);
        // A square of 128, a margin of 10, two lines of 15 and 5 below them.
        assertThat(sheet.getWidth()).isEqualTo(10 + 2 * 138);
        assertThat(sheet.getHeight()).isEqualTo(10 + 128 + 35 + 10);
        assertThat(countRed(sheet, 0, 0, 10 + 138, sheet.getHeight())).isZero();
        assertThat(countRed(sheet, 10 + 138, 0, sheet.getWidth(), sheet.getHeight()))
                .isGreaterThan(400);
        // 28 pixels are enlarged four times, to 112 in the middle of 128; the frame lies around them.
        assertThat(sheet.getRGB(10 + 8, 10 + 8)).isEqualTo(Color.BLACK.getRGB());
        assertThat(sheet.getRGB(10 + 7, 10 + 8)).isEqualTo(Color.WHITE.getRGB());
        assertThat(sheet.getRGB(10 + 138 + 7, 10 + 8)).isEqualTo(new Color(0xD0, 0x10, 0x10).getRGB());
    }

    @Test
    void captionsAreCutWhereTheyDoNotFit() {
        assertThat(LabelDrawing.shortened("cat", 12, 128)).isEqualTo("cat");
        String cut = LabelDrawing.shortened("a very long name of a class of which there are many", 12, 128);
        assertThat(cut).startsWith("a very long name").endsWith("…");
        assertThat(LabelDrawing.width(cut, 12)).isLessThanOrEqualTo(128);
        assertThat(LabelDrawing.width(cut.replace("…", "xx…"), 12)).isGreaterThan(128);
    }

    @Test
    void barsEndWhereTheProbabilitySays() {
        BufferedImage green = filled(20, 30, Color.GREEN);
        BufferedImage drawn = PredictionBars.draw(
                green,
                List.of(
                        new PredictionBars.Bar("a", 0.5),
                        new PredictionBars.Bar("b", 0.25),
                        new PredictionBars.Bar("c", 0)));
        // 30 pixels are enlarged eight times.
        assertThat(List.of(drawn.getWidth(), drawn.getHeight())).containsExactly(160 + 310, 240);
        assertThat(drawn.getRGB(159, 239)).isEqualTo(Color.GREEN.getRGB());
        for (int i = 0; i < 3; i++) {
            int length = new int[] {150, 75, 0}[i];
            // The bar's last row has no text on it.
            int red = countRed(drawn, 160, 35 * i + 34, 470, 35 * i + 35);
            assertThat(red).isEqualTo(length);
            assertThat(countRed(drawn, 160 + 5, 35 * i + 34, 160 + 5 + length, 35 * i + 35))
                    .isEqualTo(length);
            assertThat(countRed(drawn, 160, 35 * i + 35, 470, 35 * i + 40)).isZero();
        }
        // Five bars are higher than a flat picture.
        BufferedImage flat = PredictionBars.draw(
                filled(300, 20, Color.GREEN), Collections.nCopies(5, new PredictionBars.Bar("a", 0.2)));
        assertThat(List.of(flat.getWidth(), flat.getHeight())).containsExactly(610, 180);
    }

    @Test
    void confusionsHaveTheColourOfTheirShareOfTheRow(@TempDir Path folder) throws IOException {
        ConfusionMatrix matrix = new ConfusionMatrix(3);
        add(matrix, 0, 0, 75);
        add(matrix, 0, 2, 25);
        add(matrix, 1, 1, 4);
        Path file = folder.resolve("deep/confusion.png");
        ConfusionChart.write(file, matrix, List.of("a", "b", "c"));
        BufferedImage picture = ImageIO.read(file.toFile());
        int left = leftOfMatrix(picture);
        // A cell is 52 pixels wide; near its corner there is no text.
        assertThat(picture.getRGB(left + 5, 16 + 5))
                .isEqualTo(ConfusionChart.color(0.75).getRGB());
        assertThat(picture.getRGB(left + 52 + 5, 16 + 5)).isEqualTo(Color.WHITE.getRGB());
        assertThat(picture.getRGB(left + 104 + 5, 16 + 5))
                .isEqualTo(ConfusionChart.color(0.25).getRGB());
        assertThat(picture.getRGB(left + 52 + 5, 16 + 52 + 5))
                .isEqualTo(ConfusionChart.color(1).getRGB());
        // No sample is of the third class.
        assertThat(picture.getRGB(left + 5, 16 + 104 + 5)).isEqualTo(new Color(0xEC, 0xEC, 0xEC).getRGB());
        // The square root of a quarter is half of the way from white.
        assertThat(ConfusionChart.color(0.25)).isEqualTo(new Color(132, 152, 181));
        Path svg = folder.resolve("confusion.svg");
        ConfusionChart.write(svg, matrix, List.of("a", "b", "c"));
        assertThat(Files.readString(svg).contains("fill:rgb(132,152,181)")).isTrue();
    }

    /** The frame begins one column before the matrix, in its first row. */
    private static int leftOfMatrix(BufferedImage picture) {
        int x = 16 + 20;
        while (picture.getRGB(x, 15) != new Color(0x20, 0x20, 0x20).getRGB()) {
            x++;
        }
        return x + 1;
    }

    @Test
    void aThousandClassesHaveAPixelEach(@TempDir Path folder) throws IOException {
        int classes = 1000;
        ConfusionMatrix matrix = new ConfusionMatrix(classes);
        for (int i = 0; i < classes; i++) {
            add(matrix, i, i, 3);
            add(matrix, i, (i + 300) % classes, 1);
        }
        Path file = folder.resolve("confusion.png");
        ConfusionChart.write(file, matrix, Collections.nCopies(classes, "a class of many words"));
        BufferedImage picture = ImageIO.read(file.toFile());
        int left = leftOfMatrix(picture);
        for (int i : new int[] {0, 1, 699, 700, 999}) {
            assertThat(picture.getRGB(left + i, 16 + i))
                    .isEqualTo(ConfusionChart.color(0.75).getRGB());
            assertThat(picture.getRGB(left + (i + 300) % classes, 16 + i))
                    .isEqualTo(ConfusionChart.color(0.25).getRGB());
            assertThat(picture.getRGB(left + (i + 301) % classes, 16 + i)).isEqualTo(Color.WHITE.getRGB());
        }
        assertThat(ConfusionChart.tickStep(1000)).isEqualTo(100);
        assertThat(ConfusionChart.tickStep(61)).isEqualTo(10);
        assertThat(ConfusionChart.tickStep(101)).isEqualTo(20);
    }

    private static void add(ConfusionMatrix matrix, int actual, int predicted, int count) {
        for (int i = 0; i < count; i++) {
            matrix.add(actual, predicted);
        }
    }

    @Test
    void chartHasItsTitleAndFourNamedCurves() {
        var chart = TrainingChart.chart("Training Loss and Accuracy (Simple NN)", "Epoch #", "Loss/Accuracy", curves());
        assertThat(chart.getTitle()).isEqualTo("Training Loss and Accuracy (Simple NN)");
        assertThat(chart.getXAxisTitle()).isEqualTo("Epoch #");
        assertThat(chart.getYAxisTitle()).isEqualTo("Loss/Accuracy");
        assertThat(chart.getSeriesMap().keySet()).containsExactly("train_loss", "val_loss", "train_acc", "val_acc");
        assertThat(chart.getSeriesMap().get("val_acc").getXData()).containsExactly(0, 1, 2);
    }

    @Test
    void chartIsAPictureFile(@TempDir Path folder) throws IOException {
        Path file = folder.resolve("made/plot.png");
        TrainingChart.write(file, "t", curves());
        BufferedImage picture = ImageIO.read(file.toFile());
        assertThat(picture.getWidth()).isEqualTo(800);
        assertThat(picture.getHeight()).isEqualTo(600);
        assertThat(file.getParent().toFile().list()).containsExactly("plot.png");
    }

    private static List<Curve> curves() {
        return List.of(
                new Curve("train_loss", List.of(1.1, 0.9, 0.7)),
                new Curve("val_loss", List.of(1.2, 1.0, 0.9)),
                new Curve("train_acc", List.of(0.3, 0.5, 0.6)),
                new Curve("val_acc", List.of(0.3, 0.4, 0.5)));
    }

    private static BufferedImage filled(int width, int height, Color color) {
        BufferedImage picture = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
        Graphics2D graphics = picture.createGraphics();
        graphics.setColor(color);
        graphics.fillRect(0, 0, width, height);
        graphics.dispose();
        return picture;
    }

    private static int countRed(BufferedImage picture, int left, int top, int right, int bottom) {
        int count = 0;
        for (int y = top; y < bottom; y++) {
            for (int x = left; x < right; x++) {
                Color color = new Color(picture.getRGB(x, y));
                if (color.getRed() > 180 && color.getGreen() < 80 && color.getBlue() < 80) {
                    count++;
                }
            }
        }
        return count;
    }
}
