package tenon.apps;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** What README and the pages of docs/ tell to type is a command line that Tenon takes. */
class PagesTest {
    private static final Path ROOT = Path.of("..");

    @TestFactory
    Stream<DynamicTest> commandsAreTaken() throws IOException {
        return pages().map(page -> DynamicTest.dynamicTest(
                page.getFileName().toString(),
                () -> assertThat(commands(page))
                        .allSatisfy(command -> assertThatCode(
                                        () -> Main.commandLine().parseArgs(command.split(" +")))
                                .as(command)
                                .doesNotThrowAnyException())));
    }

    @Test
    void commandsAreFound() throws IOException {
        assertThat(commands(ROOT.resolve("docs/imagenet.md")))
                .hasSizeGreaterThan(20)
                .contains("plot output/alexnet")
                .anySatisfy(command -> assertThat(command).startsWith("train resnet50 --experiment 3 --data "));
    }

    private static Stream<Path> pages() throws IOException {
        try (Stream<Path> docs = Files.list(ROOT.resolve("docs"))) {
            List<Path> pages = docs.filter(path -> path.toString().endsWith(".md"))
                    .sorted()
                    .toList();
            return Stream.concat(Stream.of(ROOT.resolve("README.md")), pages.stream());
        }
    }

    /** Arguments in fenced blocks, continued lines joined, without remarks; not those of bench, whose module is another. */
    private static List<String> commands(Path page) throws IOException {
        List<String> commands = new ArrayList<>();
        boolean fenced = false;
        StringBuilder line = new StringBuilder();
        for (String text : Files.readAllLines(page)) {
            if (text.startsWith("```")) {
                fenced = !fenced;
            } else if (fenced) {
                line.append(text.replaceFirst("\\\\$", " "));
                if (!text.endsWith("\\")) {
                    String command = line.toString().replaceFirst(" +# .*", "").strip();
                    if (command.startsWith("./tenon ")
                            && !command.startsWith("./tenon bench")
                            && !command.contains("…")) {
                        commands.add(command.substring("./tenon ".length()).strip());
                    }
                    line.setLength(0);
                }
            }
        }
        return commands;
    }
}
