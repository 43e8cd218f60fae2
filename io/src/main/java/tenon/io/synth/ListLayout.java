package tenon.io.synth;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** {@code images/000000.jpg} and lists of lines index, label, path below the folder, separated by tabs; {@code classes.txt} names the labels. */
final class ListLayout {
    private ListLayout() {}

    static long write(Path folder, SyntheticSet set) throws IOException {
        Path images = Files.createDirectories(folder.resolve("images"));
        int count = Math.multiplyExact(set.classes(), set.perClass());
        int[] order = set.shuffled(count, "list");
        set.eachFile("pictures", count, i -> {
            int c = order[i] / set.perClass();
            return new SyntheticSet.NamedBytes(images.resolve(name(i)), set.jpeg(c, order[i] % set.perClass()));
        });
        int validation = Math.max(1, count / 10);
        Files.writeString(folder.resolve("train.lst"), lines(order, 0, count - validation, set));
        Files.writeString(folder.resolve("val.lst"), lines(order, count - validation, count, set));
        StringBuilder names = new StringBuilder();
        for (int c = 0; c < set.classes(); c++) {
            names.append(Painter.className(c)).append('\n');
        }
        Files.writeString(folder.resolve("classes.txt"), names);
        return count;
    }

    private static String name(int i) {
        return "%06d.jpg".formatted(i);
    }

    private static String lines(int[] order, int from, int to, SyntheticSet set) {
        StringBuilder lines = new StringBuilder();
        for (int i = from; i < to; i++) {
            lines.append(i - from)
                    .append('\t')
                    .append(order[i] / set.perClass())
                    .append("\timages/")
                    .append(name(i))
                    .append('\n');
        }
        return lines.toString();
    }
}
