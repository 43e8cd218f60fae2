package tenon.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tenon.io.build.BuildException;

class FashionMnistTest {
    private static final Map<String, String> TEXTS = Map.of("a.gz", "contents of a", "b.gz", "contents of b");

    @TempDir
    Path folder;

    private final List<String> log = new ArrayList<>();
    private Path cache;
    private Path debian;
    private DataFiles files;

    @BeforeEach
    void prepare() throws Exception {
        cache = folder.resolve("cache");
        debian = folder.resolve("debian");
        MessageDigest sha = MessageDigest.getInstance("SHA-256");
        files = new DataFiles(Map.of(
                "a.gz", HexFormat.of().formatHex(sha.digest("contents of a".getBytes(StandardCharsets.UTF_8))),
                "b.gz", HexFormat.of().formatHex(sha.digest("contents of b".getBytes(StandardCharsets.UTF_8)))));
    }

    private static Path fill(Path target) throws IOException {
        Files.createDirectories(target);
        for (Map.Entry<String, String> entry : TEXTS.entrySet()) {
            zip(target.resolve(entry.getKey()), entry.getValue());
        }
        return target;
    }

    private static void zip(Path file, String text) throws IOException {
        try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(file))) {
            out.write(text.getBytes(StandardCharsets.UTF_8));
        }
    }

    private final List<String> calls = new ArrayList<>();

    private Fetcher offline() {
        return new Fetcher(
                (_, command) -> {
                    calls.add(String.join(" ", command));
                    throw new IOException("no such program");
                },
                (from, _) -> {
                    calls.add(from.toString());
                    throw new IOException("unknown host");
                });
    }

    private Path obtain(Path given, Fetcher fetcher) {
        return FashionMnist.obtain(given, FashionMnist.routes(cache, debian, fetcher), files, log::add);
    }

    @Test
    void theCacheComesFirstThenTheDebianFolder() throws IOException {
        fill(debian);
        assertThat(obtain(null, offline())).isEqualTo(debian);
        fill(cache);
        assertThat(obtain(null, offline())).isEqualTo(cache);
        assertThat(calls).isEmpty();
    }

    @Test
    void aGivenFolderIsTheOnlyOneTried() throws IOException {
        fill(cache);
        Path given = fill(folder.resolve("given"));
        assertThat(obtain(given, offline())).isEqualTo(given);
        assertThatThrownBy(() -> obtain(folder.resolve("empty"), offline()))
                .isInstanceOf(BuildException.class)
                .hasMessageContaining("there is no file " + folder.resolve("empty/a.gz"));
    }

    @Test
    void thePackageIsFetchedIntoTheCache() {
        Fetcher fetcher = new Fetcher(
                (work, command) -> {
                    calls.add(String.join(" ", command));
                    if (command.getFirst().equals("apt-get")) {
                        Files.createFile(work.resolve("dataset-fashion-mnist_1_all.deb"));
                    } else {
                        fill(work.resolve("unpacked/usr/share/datasets/fashion-mnist"));
                    }
                },
                offline().downloads());
        assertThat(obtain(null, fetcher)).isEqualTo(cache);
        assertThat(calls)
                .containsExactly(
                        "apt-get download dataset-fashion-mnist",
                        "dpkg-deb -x dataset-fashion-mnist_1_all.deb unpacked");
        calls.clear();
        assertThat(obtain(null, offline())).isEqualTo(cache);
        assertThat(calls).isEmpty();
    }

    @Test
    void downloadsComeLastAndAFailedOneIsFollowedByTheMirror() {
        Fetcher fetcher = new Fetcher(offline().commands(), (from, to) -> {
            if (from.toString().startsWith(Fetcher.AUTHORS)) {
                throw new IOException("unknown host");
            }
            zip(to, TEXTS.get(to.getFileName().toString()));
        });
        assertThat(obtain(null, fetcher)).isEqualTo(cache);
        assertThat(log).hasSize(5).last().asString().contains("GitHub");
    }

    @Test
    void everyFailureIsNamedWithWhatToDo() {
        assertThatThrownBy(() -> obtain(null, offline()))
                .isInstanceOf(BuildException.class)
                .hasMessageContaining("cache " + cache + ": there is no file")
                .hasMessageContaining("folder " + debian + ": there is no file")
                .hasMessageContaining("no such program")
                .hasMessageContaining("amazonaws.com: java.io.IOException: unknown host")
                .hasMessageContaining("GitHub: java.io.IOException: unknown host")
                .hasMessageContaining("apt-get install dataset-fashion-mnist");
    }

    @Test
    void wrongContentsAreRefusedInEveryRoute() throws IOException {
        fill(debian);
        zip(debian.resolve("b.gz"), "something else");
        Files.createDirectories(cache);
        Files.writeString(fill(cache).resolve("a.gz"), "not gzip");
        Fetcher wrong = new Fetcher(offline().commands(), (_, to) -> zip(to, "wrong"));
        assertThatThrownBy(() -> obtain(null, wrong))
                .isInstanceOf(BuildException.class)
                .hasMessageContaining(cache.resolve("a.gz") + " cannot be unpacked")
                .hasMessageContaining(debian.resolve("b.gz") + " has other contents than expected")
                .hasMessageContaining("GitHub: ");
    }

    @Test
    void theCacheFollowsTheEnvironmentAndFallsBackToTheOutputFolder() throws IOException {
        Path output = folder.resolve("out");
        Path home = folder.resolve("home");
        assertThat(FashionMnist.cacheFolder(
                        Map.of("TENON_HOME", folder.resolve("t").toString()), home, output))
                .isEqualTo(folder.resolve("t/fashion-mnist"));
        assertThat(FashionMnist.cacheFolder(
                        Map.of("XDG_CACHE_HOME", folder.resolve("x").toString()), home, output))
                .isEqualTo(folder.resolve("x/tenon/fashion-mnist"));
        assertThat(FashionMnist.cacheFolder(Map.of(), home, output))
                .isEqualTo(home.resolve(".cache/tenon/fashion-mnist"));
        // A home that cannot have folders: it is a file.
        Path fileHome = Files.createFile(folder.resolve("file-home"));
        assertThat(FashionMnist.cacheFolder(Map.of(), fileHome, output)).isEqualTo(output.resolve("fashion-mnist"));
    }
}
