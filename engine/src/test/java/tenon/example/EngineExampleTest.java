package tenon.example;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** The engine alone trains, and its page shows the code and the flags that do so. */
class EngineExampleTest {
    private static final Path PAGE = Path.of("../docs/engine-as-a-library.md");
    private static final Path SOURCE = Path.of("src/test/java/tenon/example/EngineExample.java");
    private static final Path FLAGS = Path.of("../.mvn/tenon.jvmargs");

    @Test
    void learnsTheLine() {
        assertThat(EngineExample.fitLine()).containsExactly(new double[] {2, 1}, within(1e-4));
    }

    @Test
    void thePageShowsThisSource() throws IOException {
        assertThat(block("java")).isEqualTo(Files.readString(SOURCE));
    }

    @Test
    void thePageShowsTheseFlags() throws IOException {
        String flags = Files.readAllLines(FLAGS).stream()
                .filter(line -> !line.startsWith("#") && !line.isBlank())
                .collect(Collectors.joining("\n", "", "\n"));
        assertThat(block("text")).isEqualTo(flags);
    }

    /** Contents of the page's first fenced block in the language. */
    private static String block(String language) throws IOException {
        String fence = "```" + language + "\n";
        String page = Files.readString(PAGE);
        int start = page.indexOf(fence) + fence.length();
        assertThat(start).as("a block of %s", language).isGreaterThanOrEqualTo(fence.length());
        return page.substring(start, page.indexOf("```", start));
    }
}
