package tenon.io.synth;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** {@code train/cat.0.jpg}, {@code train/dog.0.jpg} and so on. */
final class DogsVsCatsLayout {
    private DogsVsCatsLayout() {}

    static long write(Path folder, SyntheticSet set) throws IOException {
        Path train = Files.createDirectories(folder.resolve("train"));
        int count = Math.multiplyExact(2, set.perClass());
        set.eachFile("pictures", count, i -> {
            String animal = i % 2 == 0 ? "cat" : "dog";
            return new SyntheticSet.NamedBytes(train.resolve(animal + "." + i / 2 + ".jpg"), set.jpeg(i % 2, i / 2));
        });
        return count;
    }
}
