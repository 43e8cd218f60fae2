package tenon.optim.train;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RunManifestTest {
    @Test
    void saysWhatTheRunWasMadeWithAndComesBackFromJson() throws JsonProcessingException {
        RunManifest manifest = RunManifest.collect(
                List.of("tenon", "train"), "fp32", Long.MIN_VALUE, Map.of("decoder", "stb", "backend", "cpu"));
        assertThat(manifest.version()).isNotEmpty().isNotEqualTo("unknown").doesNotContain("$");
        assertThat(manifest.commit()).matches("[0-9a-f]{40}|unknown");
        assertThat(manifest.java()).startsWith("25");
        assertThat(manifest.processor()).isNotEmpty();
        assertThat(manifest.threads()).isPositive();
        assertThat(manifest.jvmFlags()).contains("--add-modules=jdk.incubator.vector");
        String json = manifest.toJson().toString();
        assertThat(RunManifest.fromJson(new JsonMapper().readTree(json))).isEqualTo(manifest);
    }

    @Test
    void findsTheCommitOfARepositoryAndOfAWorktree(@TempDir Path folder) throws IOException {
        String one = "1".repeat(40);
        String two = "2".repeat(40);
        Path git = Files.createDirectories(folder.resolve("repo/.git"));
        Files.writeString(git.resolve("HEAD"), "ref: refs/heads/main\n");
        Path classes = Files.createDirectories(folder.resolve("repo/optim/target/classes"));
        assertThat(BuildInfo.checkedOut(classes)).isEqualTo("unknown");
        Files.writeString(git.resolve("packed-refs"), "# pack-refs\n" + one + " refs/heads/main\n");
        assertThat(BuildInfo.checkedOut(classes)).isEqualTo(one);
        Files.writeString(Files.createDirectories(git.resolve("refs/heads")).resolve("main"), two + "\n");
        assertThat(BuildInfo.checkedOut(classes)).isEqualTo(two);
        Files.writeString(git.resolve("HEAD"), one + "\n");
        assertThat(BuildInfo.checkedOut(classes)).isEqualTo(one);

        Path worktreeGit = Files.createDirectories(git.resolve("worktrees/wt"));
        Files.writeString(worktreeGit.resolve("HEAD"), "ref: refs/heads/main\n");
        Files.writeString(worktreeGit.resolve("commondir"), "../..\n");
        Path worktree = Files.createDirectories(folder.resolve("wt"));
        Files.writeString(worktree.resolve(".git"), "gitdir: " + worktreeGit + "\n");
        assertThat(BuildInfo.checkedOut(worktree)).isEqualTo(two);
    }
}
