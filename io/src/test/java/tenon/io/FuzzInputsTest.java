package tenon.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/**
 * Runs every fuzz target over its kept inputs: {@code src/test/fuzz/CLASS/*}, seeds and whatever fuzzing once found. {@code .ci/fuzz CLASS SECONDS}
 * looks for more.
 */
class FuzzInputsTest {
    private static final Path INPUTS = Path.of("src/test/fuzz");

    /** A hang is a failure; no input takes a tenth of this. */
    private static final Duration LIMIT = Duration.ofSeconds(20);

    @TestFactory
    Stream<DynamicTest> keptInputs() throws IOException {
        return list(INPUTS).stream()
                .flatMap(folder -> list(folder).stream()
                        .map(input -> DynamicTest.dynamicTest(
                                folder.getFileName() + "/" + input.getFileName(),
                                () -> assertTimeoutPreemptively(LIMIT, () -> run(target(folder), input)))));
    }

    private static Method target(Path folder) throws ReflectiveOperationException {
        return Class.forName(folder.getFileName().toString()).getMethod("fuzzerTestOneInput", byte[].class);
    }

    private static void run(Method target, Path input) throws Throwable {
        try {
            target.invoke(null, (Object) Files.readAllBytes(input));
        } catch (InvocationTargetException e) {
            throw e.getCause();
        }
    }

    @Test
    void everyTargetHasInputs() throws IOException {
        Path classes = Path.of("target/test-classes");
        List<String> targets;
        try (Stream<Path> files = Files.walk(classes)) {
            targets = files.map(file -> classes.relativize(file).toString())
                    .filter(name -> name.endsWith("Fuzz.class"))
                    .map(name -> name.replace(".class", "").replace('/', '.'))
                    .sorted()
                    .toList();
        }
        assertThat(targets).isNotEmpty();
        assertThat(list(INPUTS).stream().map(folder -> folder.getFileName().toString()))
                .isEqualTo(targets);
        list(INPUTS).forEach(folder -> assertThat(list(folder)).as("%s", folder).isNotEmpty());
    }

    private static List<Path> list(Path folder) {
        try (Stream<Path> files = Files.list(folder)) {
            return files.sorted().toList();
        } catch (IOException e) {
            throw new AssertionError("no kept inputs: " + e, e);
        }
    }
}
