package tenon.optim.checkpoint;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;

/**
 * Size and SHA-256 of a file.
 *
 * @param sha256 lower-case hexadecimal, as {@code sha256sum} prints it
 */
public record FileDigest(long byteSize, String sha256) {
    static FileDigest of(Path file) throws IOException {
        MessageDigest digest = DigestingOutput.sha256();
        long byteSize = 0;
        try (FileChannel channel = FileChannel.open(file)) {
            ByteBuffer buffer = ByteBuffer.allocateDirect(1 << 20);
            while (channel.read(buffer) >= 0) {
                byteSize += buffer.flip().remaining();
                digest.update(buffer);
                buffer.clear();
            }
        }
        return new FileDigest(byteSize, HexFormat.of().formatHex(digest.digest()));
    }
}
