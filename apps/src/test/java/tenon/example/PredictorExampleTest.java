package tenon.example;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tenon.apps.TestData;
import tenon.apps.TestModels;
import tenon.apps.prediction.Predictor;
import tenon.apps.training.Augmentation;
import tenon.apps.training.NetworkSpec;
import tenon.apps.training.Prediction;

/** The page on evaluation shows the program that runs here. */
class PredictorExampleTest {
    private static final Path PAGE = Path.of("../docs/evaluation.md");
    private static final Path SOURCE = Path.of("src/test/java/tenon/example/PredictorExample.java");

    @Test
    void describesEachPicture(@TempDir Path folder) throws IOException {
        List<String> classes = List.of("a", "b", "c");
        Path model = folder.resolve("net.model");
        TestModels.write(model, NetworkSpec.Kind.SMALLVGG, 12, Augmentation.NONE, classes);
        TestData.pictures(folder.resolve("pictures"), classes, 3, 20, 16, 1);
        List<Path> pictures;
        try (Stream<Path> found = Files.walk(folder.resolve("pictures"))) {
            pictures = found.filter(Files::isRegularFile).sorted().toList();
        }
        var described = PredictorExample.describe(model, pictures);
        assertThat(described.keySet()).containsExactlyElementsOf(pictures);
        try (Predictor predictor = Predictor.open(model)) {
            Prediction best = predictor.predict(pictures.get(4)).getFirst();
            assertThat(described.get(pictures.get(4))).isEqualTo("%s, %.0f %%", best.name(), 100 * best.probability());
        }
    }

    @Test
    void thePageShowsThisSource() throws IOException {
        String fence = "```java\n";
        String page = Files.readString(PAGE);
        int start = page.indexOf(fence) + fence.length();
        assertThat(start).as("a block of Java").isGreaterThanOrEqualTo(fence.length());
        assertThat(page.substring(start, page.indexOf("```", start))).isEqualTo(Files.readString(SOURCE));
    }
}
