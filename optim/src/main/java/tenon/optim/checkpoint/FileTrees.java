package tenon.optim.checkpoint;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/** Compound operations on {@link FileOps}. */
final class FileTrees {
    private FileTrees() {}

    /** Deletes a directory with all it holds. */
    static void delete(FileOps files, Path directory) throws IOException {
        List<Path> paths;
        try (Stream<Path> walk = Files.walk(directory)) {
            paths = walk.sorted(Comparator.reverseOrder()).toList();
        }
        for (Path path : paths) {
            files.delete(path);
        }
    }

    /** Writes a small file and makes its contents durable. */
    static void write(FileOps files, Path file, byte[] bytes) throws IOException {
        try (FileOps.Output out = files.create(file)) {
            out.write(ByteBuffer.wrap(bytes));
            out.sync();
        }
    }

    /** Replaces a small file: at every instant it has either the old contents or the new. */
    static void replace(FileOps files, Path file, byte[] bytes) throws IOException {
        replace(files, file, temporary -> write(files, temporary, bytes));
    }

    /** As {@link #replace(FileOps, Path, byte[])}, with contents that are made durable as they are written. */
    static void replace(FileOps files, Path file, AtomicFiles.Contents contents) throws IOException {
        Path temporary = file.resolveSibling(file.getFileName() + ".tmp");
        if (Files.exists(temporary)) {
            files.delete(temporary);
        }
        contents.write(temporary);
        files.rename(temporary, file);
        files.syncDirectory(file.toAbsolutePath().getParent());
    }
}
