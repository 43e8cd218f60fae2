package tenon.io.sets;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WholeFileTest {
    /** Machines that build parts of one set into one folder all write the lists. */
    @Test
    void twoWritersAtOnceLeaveTheTextOfTheLast(@TempDir Path folder) throws IOException {
        Path file = folder.resolve("train.lst");
        WholeFile.write(file, out -> {
            out.write("the slow one, longer\n");
            out.flush();
            WholeFile.write(file, "the fast one\n");
            assertThat(file).hasContent("the fast one\n");
        });
        assertThat(file).hasContent("the slow one, longer\n");
        try (Stream<Path> files = Files.list(folder)) {
            assertThat(files).containsExactly(file);
        }
    }
}
