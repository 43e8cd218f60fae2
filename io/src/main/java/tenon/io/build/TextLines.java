package tenon.io.build;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;

/** The lines of a UTF-8 text file, one at a time; a file without line ends cannot fill the memory. Ends of lines are LF or CR LF. */
public final class TextLines implements AutoCloseable {
    private final Path path;
    private final String what;
    private final int longest;
    private final InputStream in;
    private byte[] line = new byte[256];
    private long number;

    /**
     * Opens a file.
     *
     * @param what kind of file, to begin messages with: {@code list file}
     * @param longest most bytes of a line
     */
    public TextLines(Path path, String what, int longest) {
        this.path = path;
        this.what = what;
        this.longest = longest;
        try {
            in = new BufferedInputStream(Files.newInputStream(path), 1 << 16);
        } catch (NoSuchFileException e) {
            throw new BuildException(what + " " + path + ": there is no such file", e);
        } catch (IOException e) {
            throw new BuildException(what + " " + path + ": cannot be read: " + e, e);
        }
    }

    /** The next line without its end, or null behind the last one. */
    public String next() {
        number++;
        int length = 0;
        try {
            int read = in.read();
            if (read < 0) {
                return null;
            }
            while (read >= 0 && read != '\n') {
                if (length == longest) {
                    throw error("a line must have at most " + longest + " bytes");
                }
                if (length == line.length) {
                    line = Arrays.copyOf(line, Math.min(longest, 2 * length));
                }
                line[length++] = (byte) read;
                read = in.read();
            }
        } catch (IOException e) {
            throw new BuildException(what + " " + path + ": cannot be read: " + e, e);
        }
        if (length > 0 && line[length - 1] == '\r') {
            length--;
        }
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .onMalformedInput(CodingErrorAction.REPORT)
                    .decode(ByteBuffer.wrap(line, 0, length))
                    .toString();
        } catch (CharacterCodingException e) {
            throw error("the line is no UTF-8 text");
        }
    }

    /** An error in the line that was read last; names the file and the line. */
    public BuildException error(String problem) {
        return new BuildException(what + " " + path + ", line " + number + ": " + problem);
    }

    @Override
    public void close() {
        try {
            in.close();
        } catch (IOException _) {
            // Nothing was written.
        }
    }
}
