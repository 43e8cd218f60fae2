package tenon.io.synth;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.stream.Stream;
import tenon.io.build.BuildException;

/** A folder that appears with all its files or not at all: they are written beside it, under a name that begins with a dot. */
final class NewFolder {
    /** Writes the files into the folder it is given. */
    interface Content {
        void write(Path folder) throws IOException;
    }

    private NewFolder() {}

    static void create(Path folder, Content content) throws IOException {
        Path target = folder.toAbsolutePath().normalize();
        if (Files.exists(target)) {
            try (Stream<Path> found = Files.isDirectory(target) ? Files.list(target) : Stream.of(target)) {
                if (found.findAny().isPresent()) {
                    throw new BuildException(
                            "synthetic set: " + folder + " must be new or empty (remove it, or choose another folder)");
                }
            }
        }
        Path partial = target.resolveSibling("." + target.getFileName() + ".partial");
        delete(partial);
        Files.createDirectories(partial);
        content.write(partial);
        Files.deleteIfExists(target);
        Files.move(partial, target);
    }

    private static void delete(Path folder) throws IOException {
        if (!Files.exists(folder)) {
            return;
        }
        Files.walkFileTree(folder, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                Files.delete(file);
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult postVisitDirectory(Path visited, IOException e) throws IOException {
                Files.delete(visited);
                return FileVisitResult.CONTINUE;
            }
        });
    }
}
