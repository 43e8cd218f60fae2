package tenon.io.sets;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import tenon.io.FuzzFile;
import tenon.io.build.BuildException;

/** Any bytes are a table of pixels or a {@link BuildException}, and the pixels are the numbers that stand in the file. */
public final class PixelTableFuzz {
    private PixelTableFuzz() {}

    public static void fuzzerTestOneInput(byte[] bytes) {
        Path file = FuzzFile.of(bytes);
        PixelTable table;
        try {
            table = PixelTable.read(file);
        } catch (BuildException e) {
            FuzzFile.checkMessage(e, "csv file " + file + ", line ");
            return;
        }
        for (PixelTable.Row row : table.rows()) {
            int from = (int) row.offset();
            byte[] field = Arrays.copyOfRange(bytes, from, from + row.length());
            byte[] pixels = PixelTable.pixels(field, table.pixelCount());
            String[] numbers = new String(field, StandardCharsets.US_ASCII).split(" ");
            if (numbers.length != pixels.length || row.label() < 0) {
                throw new AssertionError(row + ": " + numbers.length + " numbers, " + pixels.length + " pixels");
            }
            for (int i = 0; i < pixels.length; i++) {
                if (Integer.parseInt(numbers[i]) != (pixels[i] & 0xFF)) {
                    throw new AssertionError(row + ": pixel " + i);
                }
            }
        }
    }
}
