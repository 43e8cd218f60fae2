package tenon.optim.checkpoint;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** Computes the SHA-256 of what is written. */
final class DigestingOutput implements FileOps.Output {
    private final FileOps.Output out;
    private final MessageDigest digest = sha256();
    private long byteSize;

    DigestingOutput(FileOps.Output out) {
        this.out = out;
    }

    static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }

    @Override
    public void write(ByteBuffer bytes) throws IOException {
        byteSize += bytes.remaining();
        digest.update(bytes.duplicate());
        out.write(bytes);
    }

    @Override
    public void sync() throws IOException {
        out.sync();
    }

    @Override
    public void close() throws IOException {
        out.close();
    }

    /** What was written; call once, after the last write. */
    FileDigest digest() {
        return new FileDigest(byteSize, HexFormat.of().formatHex(digest.digest()));
    }
}
