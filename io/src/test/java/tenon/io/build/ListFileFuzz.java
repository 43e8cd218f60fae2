package tenon.io.build;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Collectors;
import tenon.io.FuzzFile;

/** Any bytes are a list file or a {@link BuildException}, and what was read is read again from the lines that it writes. */
public final class ListFileFuzz {
    private ListFileFuzz() {}

    public static void fuzzerTestOneInput(byte[] bytes) {
        Path file = FuzzFile.of(bytes);
        ListFile list;
        try {
            list = ListFile.read(file);
        } catch (BuildException e) {
            FuzzFile.checkMessage(e, "list file " + file);
            return;
        }
        String text = list.entries().stream().map(entry -> entry.line() + "\n").collect(Collectors.joining());
        if (text.indexOf('\r') >= 0) {
            // At the end of a line it would belong to the line's end.
            return;
        }
        ListFile again = ListFile.read(FuzzFile.of(text.getBytes(StandardCharsets.UTF_8)));
        for (int i = 0; i < list.entries().size(); i++) {
            ListFile.Entry read = list.entries().get(i);
            ListFile.Entry reread = again.entries().get(i);
            if (read.index() != reread.index() || !read.path().equals(reread.path()) || !same(read, reread)) {
                throw new AssertionError("entry " + i + ": read " + read.line() + ", then " + reread.line());
            }
        }
        if (again.entries().size() != list.entries().size()) {
            throw new AssertionError("lines: " + again.entries().size());
        }
    }

    private static boolean same(ListFile.Entry a, ListFile.Entry b) {
        float[] x = a.labels().clone();
        float[] y = b.labels().clone();
        for (int i = 0; i < x.length; i++) {
            // −0 is written as 0.
            x[i] += 0f;
        }
        return Arrays.equals(x, y);
    }
}
