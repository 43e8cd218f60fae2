package tenon.io.sets;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import tenon.io.build.BuildException;

/**
 * Where the rows of a CSV file of pictures are, and what they hold besides pixels. The header names the columns emotion, pixels and Usage, in any order;
 * pixels are whole numbers 0…255 separated by single spaces, equally many in every row. All of it is checked here.
 *
 * @param rows in the order of the file
 * @param pixelCount numbers per row
 */
record PixelTable(List<Row> rows, int pixelCount) {
    private static final String WHAT = "csv file";
    /** Of a line; pixels take at most four bytes each. */
    private static final int LONGEST_LINE = 1 << 24;

    private static final int MOST_CLASSES = 1_000_000;

    /**
     * A picture.
     *
     * @param offset of the pixels in the file, and their length in bytes
     */
    record Row(int label, String usage, long offset, int length) {}

    static PixelTable read(Path file) {
        try (InputStream in = new BufferedInputStream(Files.newInputStream(file), 1 << 16)) {
            return new Scanner(file, in).table();
        } catch (NoSuchFileException e) {
            throw new BuildException(WHAT + " " + file + ": there is no such file", e);
        } catch (IOException e) {
            throw new BuildException(WHAT + " " + file + ": cannot be read: " + e, e);
        }
    }

    /** The numbers in {@code bytes}, which {@link #read} has found to be {@code count} ones. */
    static byte[] pixels(byte[] bytes, int count) {
        byte[] pixels = new byte[count];
        int at = 0;
        int value = 0;
        for (byte b : bytes) {
            if (b == ' ' && at < count - 1) {
                pixels[at++] = (byte) value;
                value = 0;
            } else if (b >= '0' && b <= '9') {
                value = 10 * value + b - '0';
            } else {
                throw new BuildException(WHAT + ": the file changed while it was read");
            }
        }
        pixels[at] = (byte) value;
        return pixels;
    }

    private static final class Scanner {
        private final Path file;
        private final InputStream in;
        private byte[] line = new byte[1 << 14];
        private int length;
        private long lineStart;
        private long nextStart;
        private long lineNumber;
        /** Where each field of the line begins and ends. */
        private final int[] starts = new int[3];

        private final int[] ends = new int[3];

        Scanner(Path file, InputStream in) {
            this.file = file;
            this.in = in;
        }

        PixelTable table() throws IOException {
            if (!readLine() || !split()) {
                throw error("the first line must name the columns emotion, pixels and Usage");
            }
            List<String> header = new ArrayList<>();
            for (int f = 0; f < 3; f++) {
                header.add(text(f).strip());
            }
            int label = column(header, "emotion");
            int pixels = column(header, "pixels");
            int usage = column(header, "usage");
            List<Row> rows = new ArrayList<>();
            int count = -1;
            while (readLine()) {
                if (length == 0) {
                    continue;
                }
                if (!split()) {
                    throw error("a row must have three fields separated by commas, as the header has");
                }
                int found = countPixels(starts[pixels], ends[pixels]);
                if (count >= 0 && found != count) {
                    throw error("every row must have as many pixels as the first: first=" + count + ", given=" + found);
                }
                count = found;
                rows.add(new Row(
                        label(text(label)),
                        text(usage).strip(),
                        lineStart + starts[pixels],
                        ends[pixels] - starts[pixels]));
            }
            if (rows.isEmpty()) {
                throw error("there are no rows behind the header");
            }
            return new PixelTable(rows, count);
        }

        private int column(List<String> header, String name) {
            for (int f = 0; f < header.size(); f++) {
                if (header.get(f).equalsIgnoreCase(name)) {
                    return f;
                }
            }
            throw error("the first line must name the columns emotion, pixels and Usage: found=" + header);
        }

        private boolean readLine() throws IOException {
            lineNumber++;
            lineStart = nextStart;
            length = 0;
            int b = in.read();
            if (b < 0) {
                return false;
            }
            while (b >= 0 && b != '\n') {
                if (length == LONGEST_LINE) {
                    throw error("a line must have at most " + LONGEST_LINE + " bytes");
                }
                if (length == line.length) {
                    line = Arrays.copyOf(line, 2 * length);
                }
                line[length++] = (byte) b;
                b = in.read();
            }
            nextStart += length + 1;
            if (length > 0 && line[length - 1] == '\r') {
                length--;
            }
            return true;
        }

        /** Finds the three fields, without the quotation marks around them; false if there are not three. */
        private boolean split() {
            int field = 0;
            int start = 0;
            for (int i = 0; i <= length; i++) {
                if (i == length || line[i] == ',') {
                    if (field == 3) {
                        return false;
                    }
                    boolean quoted = i - start >= 2 && line[start] == '"' && line[i - 1] == '"';
                    starts[field] = quoted ? start + 1 : start;
                    ends[field] = quoted ? i - 1 : i;
                    field++;
                    start = i + 1;
                }
            }
            return field == 3;
        }

        private String text(int field) {
            int size = Math.min(40, ends[field] - starts[field]);
            return new String(line, starts[field], size, StandardCharsets.UTF_8);
        }

        private int label(String text) {
            try {
                int label = Integer.parseInt(text.strip());
                if (label >= 0 && label < MOST_CLASSES) {
                    return label;
                }
            } catch (NumberFormatException _) {
                // The error below says it.
            }
            throw error("the emotion must be a whole number of at least 0: '" + text + "'");
        }

        private int countPixels(int start, int end) {
            int count = 0;
            int value = -1;
            for (int i = start; i <= end; i++) {
                boolean digit = i < end && line[i] >= '0' && line[i] <= '9';
                if (digit) {
                    value = 10 * Math.max(value, 0) + line[i] - '0';
                }
                if (value > 255 || !digit && (value < 0 || i < end && line[i] != ' ')) {
                    throw error("pixels must be whole numbers from 0 to 255, separated by single spaces: pixel " + count
                            + " is not");
                }
                if (!digit) {
                    count++;
                    value = -1;
                }
            }
            return count;
        }

        private BuildException error(String problem) {
            return new BuildException(WHAT + " " + file + ", line " + lineNumber + ": " + problem);
        }
    }
}
