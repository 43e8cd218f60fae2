package tenon.optim.train;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.CodeSource;
import java.util.Properties;

/**
 * Which Tenon this is.
 *
 * @param version as in the pom
 * @param commit given to the build with {@code -Dtenon.commit=…}; else what is checked out where the classes lie, or {@code unknown}
 */
public record BuildInfo(String version, String commit) {
    private static final BuildInfo CURRENT = read();

    public static BuildInfo current() {
        return CURRENT;
    }

    private static BuildInfo read() {
        Properties properties = new Properties();
        try (InputStream in = BuildInfo.class.getResourceAsStream("/tenon/optim/build.properties")) {
            if (in != null) {
                properties.load(in);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        String commit = properties.getProperty("commit", "unknown");
        return new BuildInfo(
                properties.getProperty("version", "unknown"), commit.equals("unknown") ? checkedOut() : commit);
    }

    private static String checkedOut() {
        try {
            CodeSource source = BuildInfo.class.getProtectionDomain().getCodeSource();
            return source == null
                    ? "unknown"
                    : checkedOut(Path.of(source.getLocation().toURI()));
        } catch (IOException | URISyntaxException | SecurityException e) {
            return "unknown";
        }
    }

    /** The commit that git has checked out in the repository around {@code start}, read from git's own files. */
    static String checkedOut(Path start) throws IOException {
        for (Path folder = start.toAbsolutePath(); folder != null; folder = folder.getParent()) {
            Path git = folder.resolve(".git");
            if (Files.isRegularFile(git)) { // a worktree: a pointer to its folder
                git = folder.resolve(Files.readString(git).strip().replaceFirst("^gitdir: ", ""));
            }
            if (Files.isRegularFile(git.resolve("HEAD"))) {
                return resolve(git, Files.readString(git.resolve("HEAD")).strip());
            }
        }
        return "unknown";
    }

    private static String resolve(Path git, String head) throws IOException {
        if (!head.startsWith("ref: ")) {
            return head;
        }
        String ref = head.substring(5);
        Path common = git;
        if (Files.isRegularFile(git.resolve("commondir"))) {
            common = git.resolve(Files.readString(git.resolve("commondir")).strip());
        }
        if (Files.isRegularFile(common.resolve(ref))) {
            return Files.readString(common.resolve(ref)).strip();
        }
        if (Files.isRegularFile(common.resolve("packed-refs"))) {
            for (String line : Files.readAllLines(common.resolve("packed-refs"))) {
                if (line.endsWith(" " + ref)) {
                    return line.substring(0, line.indexOf(' '));
                }
            }
        }
        return "unknown";
    }
}
