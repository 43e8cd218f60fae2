package tenon.engine.backend.cuda;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Compiled kernels on disk. A file is named after everything that its contents depend on, appears whole, and is never changed. */
final class KernelCache {
    private static final Logger LOG = LoggerFactory.getLogger(KernelCache.class);

    private final Path folder;

    /** @param folder made when first written to */
    KernelCache(Path folder) {
        this.folder = folder;
    }

    /** The file for a program. */
    Path file(String name, String source, String architecture, List<String> options, String compiler) {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            for (String part : List.of(source, architecture, String.join("\n", options), compiler)) {
                byte[] bytes = part.getBytes(StandardCharsets.UTF_8);
                digest.update((bytes.length + ":").getBytes(StandardCharsets.UTF_8));
                digest.update(bytes);
            }
            String hash = HexFormat.of().formatHex(digest.digest(), 0, 16);
            return folder.resolve(name + "-" + architecture + "-" + hash + ".bin");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }

    /** Contents, or null where there are none to be read. */
    byte[] read(Path file) {
        try {
            return Files.isReadable(file) ? Files.readAllBytes(file) : null;
        } catch (IOException e) {
            LOG.warn("cuda: the compiled kernels {} cannot be read and are compiled again: {}", file, e.toString());
            return null;
        }
    }

    /** Keeps a program where that is possible; without, it is compiled again next time. */
    void write(Path file, byte[] code) {
        try {
            Files.createDirectories(folder);
            Path part = Files.createTempFile(folder, file.getFileName().toString(), ".part");
            try {
                Files.write(part, code);
                Files.move(part, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            } finally {
                Files.deleteIfExists(part);
            }
        } catch (IOException e) {
            LOG.warn(
                    "cuda: compiled kernels cannot be kept in {} (-Dtenon.cuda.cache names another folder): {}",
                    folder,
                    e.toString());
        }
    }

    void delete(Path file) {
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            LOG.warn("cuda: {} is damaged and cannot be deleted: {}", file, e.toString());
        }
    }
}
