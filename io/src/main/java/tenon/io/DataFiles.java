package tenon.io;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Map;
import java.util.zip.GZIPInputStream;
import tenon.io.build.BuildException;

/**
 * A set of gzip files that must have known contents.
 *
 * @param contents SHA-256 of the uncompressed contents by file name
 */
record DataFiles(Map<String, String> contents) {
    /** Returns {@code folder} if it holds all files with the right contents; throws otherwise. */
    Path check(Path folder) throws IOException {
        for (String name : contents.keySet().stream().sorted().toList()) {
            checkFile(folder.resolve(name), name);
        }
        return folder;
    }

    void checkFile(Path file, String name) throws IOException {
        if (!Files.isRegularFile(file)) {
            throw new BuildException("there is no file " + file);
        }
        String digest;
        try {
            digest = sha256(file);
        } catch (IOException e) {
            throw new BuildException(file + " cannot be unpacked: " + e.getMessage() + " (delete it)", e);
        }
        if (!digest.equals(contents.get(name))) {
            throw new BuildException(file + " has other contents than expected: SHA-256 of the uncompressed contents="
                    + digest + ", wanted=" + contents.get(name) + " (delete it)");
        }
    }

    private static String sha256(Path file) throws IOException {
        MessageDigest digest;
        try {
            digest = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
        try (InputStream in = new DigestInputStream(new GZIPInputStream(Files.newInputStream(file), 1 << 16), digest)) {
            in.transferTo(OutputStream.nullOutputStream());
        }
        return HexFormat.of().formatHex(digest.digest());
    }

    /** Copies the files into the cache, each whole or not at all, and checks them there. */
    Path adopt(Path from, Path cache) throws IOException {
        check(from);
        Files.createDirectories(cache);
        for (String name : contents.keySet()) {
            Path temporary = Files.createTempFile(cache, name, ".tmp");
            try {
                Files.copy(from.resolve(name), temporary, StandardCopyOption.REPLACE_EXISTING);
                Files.move(
                        temporary,
                        cache.resolve(name),
                        StandardCopyOption.ATOMIC_MOVE,
                        StandardCopyOption.REPLACE_EXISTING);
            } finally {
                Files.deleteIfExists(temporary);
            }
        }
        return cache;
    }
}
