package tenon.engine.backend.cuda;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.zip.CRC32C;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Remembers on disk what was the fastest, so that it is measured once per machine. Each choice is a small file of its own, written under another name and moved to its place, so that
 * processes need no lock:
 *
 * <pre>
 * tenon KIND 1
 * KEY
 * VALUE
 * CRC-32C of the lines above, in hexadecimal
 * </pre>
 *
 * A file that is not like this is as good as none, and said so once.
 */
final class PlanCache {
    private static final Logger LOG = LoggerFactory.getLogger(PlanCache.class);
    private static final int NAME_BYTES = 16;

    private final Path folder;
    private final String header;
    private boolean writable = true;

    /** Of plans of convolutions. */
    PlanCache(Path folder) {
        this(folder, "convolution plan");
    }

    /** @param kind what is chosen, for the files' first lines */
    PlanCache(Path folder, String kind) {
        this.folder = folder;
        header = "tenon " + kind + " 1";
    }

    /**
     * @param key one line with all that the choice depends on: GPU, library, sizes, settings
     * @return the value, or null where there is none
     */
    String get(String key) {
        Path file = file(key);
        String text;
        try {
            text = Files.readString(file);
        } catch (NoSuchFileException e) {
            return null;
        } catch (IOException e) {
            LOG.warn("cuda: {} cannot be read, so the plan is measured again: {}", file, e.toString());
            return null;
        }
        List<String> lines = text.lines().toList();
        if (lines.size() != 4
                || !lines.get(0).equals(header)
                || !lines.get(3).equals(checksum(lines.get(1), lines.get(2)))) {
            LOG.warn("cuda: {} is damaged, so the plan is measured again", file);
            return null;
        }
        return lines.get(1).equals(key) ? lines.get(2) : null;
    }

    /** @param value one line */
    void put(String key, String value) {
        if (!writable) {
            return;
        }
        Path file = file(key);
        try {
            Files.createDirectories(folder);
            Path part = Files.createTempFile(folder, file.getFileName().toString(), ".part");
            try {
                Files.writeString(part, header + "\n" + key + "\n" + value + "\n" + checksum(key, value) + "\n");
                Files.move(part, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            } finally {
                Files.deleteIfExists(part);
            }
        } catch (IOException e) {
            writable = false;
            LOG.warn("cuda: plans cannot be kept in {}, so each run measures them again: {}", folder, e.toString());
        }
    }

    Path file(String key) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(key.getBytes(StandardCharsets.UTF_8));
            return folder.resolve(HexFormat.of().formatHex(digest, 0, NAME_BYTES) + ".plan");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    private String checksum(String key, String value) {
        CRC32C crc = new CRC32C();
        crc.update((header + "\n" + key + "\n" + value).getBytes(StandardCharsets.UTF_8));
        return Long.toHexString(crc.getValue());
    }
}
