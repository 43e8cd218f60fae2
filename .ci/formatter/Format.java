import com.palantir.javaformat.java.Formatter;
import com.palantir.javaformat.java.FormatterException;
import com.palantir.javaformat.java.JavaFormatterOptions;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/// Formats every Java source of the project, or checks that all of them are formatted: `Format check|apply|skip ROOT`.
///
/// Exits 1 if a file is not formatted (check) or cannot be parsed, and names the command that repairs it.
final class Format {
    private static final Set<String> NOT_SOURCES = Set.of("target", "output", ".git", ".tenon");

    private enum Verdict {
        FORMATTED,
        UNFORMATTED,
        UNREADABLE
    }

    private Format() {}

    public static void main(String[] args) throws IOException {
        String mode = args[0];
        if (mode.equals("skip")) {
            return;
        }
        if (!Set.of("check", "apply").contains(mode)) {
            System.err.println("format must be check, apply or skip, not " + mode);
            System.exit(1);
        }
        Path root = Path.of(args[1]);
        Formatter formatter = Formatter.createFormatter(JavaFormatterOptions.builder()
                .style(JavaFormatterOptions.Style.PALANTIR)
                .build());
        List<Verdict> verdicts = javaFilesUnder(root).parallelStream()
                .map(file -> visit(formatter, root, file, mode.equals("apply")))
                .toList();
        boolean unreadable = verdicts.contains(Verdict.UNREADABLE);
        boolean unformatted = mode.equals("check") && verdicts.contains(Verdict.UNFORMATTED);
        if (unformatted) {
            System.err.println("Sources are not formatted. To repair them, run: .ci/format");
        }
        System.exit(unreadable || unformatted ? 1 : 0);
    }

    private static List<Path> javaFilesUnder(Path root) throws IOException {
        List<Path> files = new ArrayList<>();
        Files.walkFileTree(root, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult preVisitDirectory(Path dir, BasicFileAttributes attributes) {
                boolean skip = !dir.equals(root)
                        && NOT_SOURCES.contains(dir.getFileName().toString());
                return skip ? FileVisitResult.SKIP_SUBTREE : FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
                if (file.toString().endsWith(".java")) {
                    files.add(file);
                }
                return FileVisitResult.CONTINUE;
            }
        });
        return files;
    }

    private static Verdict visit(Formatter formatter, Path root, Path file, boolean apply) {
        try {
            String before = Files.readString(file);
            String after = formatter.formatSourceAndFixImports(before);
            if (after.equals(before)) {
                return Verdict.FORMATTED;
            }
            if (apply) {
                Files.writeString(file, after);
            }
            System.err.println((apply ? "formatted " : "not formatted: ") + root.relativize(file));
            return Verdict.UNFORMATTED;
        } catch (FormatterException e) {
            System.err.println(root.relativize(file) + ": " + e.getMessage());
            return Verdict.UNREADABLE;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
