package tenon.engine.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PlanCacheTest {
    @TempDir
    Path folder;

    @Test
    void keepsValuesByKey() {
        PlanCache cache = new PlanCache(folder.resolve("plans"));
        assertThat(cache.get("a")).isNull();
        cache.put("a", "legacy 1 0");
        cache.put("b", "graph 3;2=1 4");
        cache.put("a", "legacy 2 0");
        PlanCache later = new PlanCache(folder.resolve("plans"));
        assertThat(later.get("a")).isEqualTo("legacy 2 0");
        assertThat(later.get("b")).isEqualTo("graph 3;2=1 4");
        assertThat(later.get("c")).isNull();
    }

    @Test
    void leavesNoOtherFiles() throws IOException {
        PlanCache cache = new PlanCache(folder);
        cache.put("a", "1");
        cache.put("b", "2");
        try (Stream<Path> files = Files.list(folder)) {
            assertThat(files).containsExactlyInAnyOrder(cache.file("a"), cache.file("b"));
        }
    }

    @Test
    void damagedFilesAreAsGoodAsNoneAndAreReplaced() throws IOException {
        PlanCache cache = new PlanCache(folder);
        cache.put("a", "legacy 1 0");
        String whole = Files.readString(cache.file("a"));
        for (String damaged : List.of(
                "",
                "\n\n\n\n",
                whole.substring(0, whole.length() / 2),
                whole.replace("legacy 1 0", "legacy 9 0"),
                whole.replace("plan 1", "plan 2"),
                whole + "more\n")) {
            Files.writeString(cache.file("a"), damaged);
            assertThat(cache.get("a")).as(damaged).isNull();
        }
        Files.write(cache.file("a"), new byte[] {(byte) 0xC3, 0x28, (byte) 0xFF});
        assertThat(cache.get("a")).isNull();
        cache.put("a", "legacy 1 0");
        assertThat(cache.get("a")).isEqualTo("legacy 1 0");
    }

    @Test
    void aFileOfAnotherKeyIsNotTaken() throws IOException {
        PlanCache cache = new PlanCache(folder);
        cache.put("a", "1");
        Files.move(cache.file("a"), cache.file("b"));
        assertThat(cache.get("b")).isNull();
    }

    @Test
    void aFolderThatCannotBeWrittenIsNoError() throws IOException {
        Path file = Files.writeString(folder.resolve("file"), "");
        PlanCache cache = new PlanCache(file.resolve("plans"));
        assertThatCode(() -> {
                    cache.put("a", "1");
                    cache.put("b", "2");
                })
                .doesNotThrowAnyException();
        assertThat(cache.get("a")).isNull();
    }
}
