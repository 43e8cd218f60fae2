package tenon.engine.nativelib;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tenon.engine.TenonException;

class NativeDirectoryTest {
    @TempDir
    private Path folder;

    private final Map<String, String> properties = new HashMap<>();
    private final Map<String, String> variables = new HashMap<>();

    private Path choose(String mounts) {
        return NativeDirectory.choose(properties::get, variables::get, mounts);
    }

    private static String mount(Path point, String options) {
        return "tmpfs " + point.toString().replace(" ", "\\040") + " tmpfs " + options + " 0 0\n";
    }

    @Test
    void prefersThePropertyThenTheVariableThenTheHome() {
        Path home = folder.resolve("home");
        properties.put("user.home", home.toString());
        assertThat(choose("")).isEqualTo(home.resolve(".javacpp/cache")).isDirectory();
        variables.put("TENON_NATIVE_DIR", folder.resolve("variable").toString());
        assertThat(choose("")).isEqualTo(folder.resolve("variable"));
        properties.put("tenon.native.dir", folder.resolve("property").toString());
        assertThat(choose("")).isEqualTo(folder.resolve("property")).isDirectory();
    }

    @Test
    void skipsAHomeThatCannotBeWrittenAndATemporaryFolderMountedNoexec() throws IOException {
        Path home = folder.resolve("home");
        Path temporary = Files.createDirectory(folder.resolve("tmp"));
        // A file in the folder's place refuses even root.
        Files.createFile(home);
        Path cache = folder.resolve("cache");
        properties.put("user.home", home.toString());
        properties.put("user.name", "somebody");
        properties.put("java.io.tmpdir", temporary.toString());
        assertThat(choose("")).isEqualTo(temporary.resolve("tenon-native-somebody"));
        variables.put("XDG_CACHE_HOME", cache.toString());
        assertThat(choose(mount(temporary, "rw,noexec"))).isEqualTo(cache.resolve("tenon"));
        variables.remove("XDG_CACHE_HOME");
        assertThat(choose(mount(temporary.toRealPath(), "rw,nosuid,noexec")))
                .isNotEqualTo(temporary.resolve("tenon-native-somebody"));
    }

    @Test
    void saysWhyANamedFolderIsRefusedInsteadOfReplacingIt() throws IOException {
        properties.put("user.home", folder.toString());
        properties.put("tenon.native.dir", folder.resolve("noexec").toString());
        String mounts = mount(folder.toRealPath(), "rw,noexec,relatime");
        assertThatThrownBy(() -> choose(mounts))
                .isInstanceOf(TenonException.class)
                .hasMessageContaining("noexec (mounted noexec)")
                .hasMessageContaining("-Dtenon.native.dir=FOLDER");
        Path file = Files.createFile(folder.resolve("file"));
        properties.put("tenon.native.dir", file.resolve("below").toString());
        assertThatThrownBy(() -> choose("")).hasMessageContaining("not writable");
    }

    @Test
    void theLongestMountPointDecidesAndTheLaterOfEquals() {
        String mounts = mount(Path.of("/"), "rw,relatime")
                + mount(Path.of("/tmp"), "rw,noexec")
                + mount(Path.of("/tmp/exec here"), "rw")
                + mount(Path.of("/opt"), "rw,noexec")
                + mount(Path.of("/opt"), "rw");
        assertThat(NativeDirectory.isNoexec(Path.of("/home/a"), mounts)).isFalse();
        assertThat(NativeDirectory.isNoexec(Path.of("/tmp/a"), mounts)).isTrue();
        assertThat(NativeDirectory.isNoexec(Path.of("/tmpfoo"), mounts)).isFalse();
        assertThat(NativeDirectory.isNoexec(Path.of("/tmp/exec here/a"), mounts))
                .isFalse();
        assertThat(NativeDirectory.isNoexec(Path.of("/opt/a"), mounts)).isFalse();
        assertThat(NativeDirectory.isNoexec(Path.of("/anything"), "")).isFalse();
    }
}
