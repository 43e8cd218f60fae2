package tenon.io.synth;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** {@code class/class_00000.jpg}. */
final class FolderLayout {
    private FolderLayout() {}

    static long write(Path folder, SyntheticSet set) throws IOException {
        List<Path> classFolders = new ArrayList<>();
        for (int c = 0; c < set.classes(); c++) {
            classFolders.add(Files.createDirectories(folder.resolve(Painter.className(c))));
        }
        int count = Math.multiplyExact(set.classes(), set.perClass());
        set.eachFile("pictures", count, i -> {
            int c = i / set.perClass();
            int number = i % set.perClass();
            Path file = classFolders.get(c).resolve("%s_%05d.jpg".formatted(Painter.className(c), number));
            return new SyntheticSet.NamedBytes(file, set.jpeg(c, number));
        });
        return count;
    }
}
