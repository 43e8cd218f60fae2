package tenon.apps.pictures;

import static org.assertj.core.api.Assertions.assertThat;

import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tenon.apps.pictures.TrainingChart.Curve;

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
        var right = new PredictionGrid.Cell(black, "Bag", "Bag");
        var wrong = new PredictionGrid.Cell(black, "Bag", "Coat");
        assertThat(countRed(PredictionGrid.draw(List.of(right, right), 2), 0, 0, 300, 180))
                .isZero();
        BufferedImage sheet = PredictionGrid.draw(List.of(right, wrong), 2);
        assertThat(sheet.getWidth()).isEqualTo(300);
        assertThat(sheet.getHeight()).isEqualTo(180);
        assertThat(countRed(sheet, 0, 0, 150, 180)).isZero();
        assertThat(countRed(sheet, 150, 0, 300, 180)).isGreaterThan(400);
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
