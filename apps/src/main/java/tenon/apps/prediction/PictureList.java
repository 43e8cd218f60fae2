package tenon.apps.prediction;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Stream;
import tenon.apps.cli.UsageException;
import tenon.io.image.ImageNames;

/** The pictures that a command was given, as files or in folders, each with a place for what is drawn of it. */
final class PictureList {
    /**
     * @param file the picture
     * @param drawn where its drawing goes: nowhere near another's, nor over a picture
     */
    record Entry(Path file, Path drawn) {}

    private final Path output;
    private final List<Entry> entries = new ArrayList<>();
    /** Lower case, as some file systems see them. */
    private final Set<String> taken = new HashSet<>();

    private PictureList(Path output) {
        this.output = output;
    }

    /**
     * Files in the order given, those of a folder sorted. In folders only files that {@link ImageNames} names are taken, hidden ones and those below {@code output} not.
     *
     * @param recursive whether folders in folders are looked into
     * @throws UsageException when a folder holds no picture
     */
    static List<Entry> of(List<Path> given, boolean recursive, Path output) throws IOException {
        PictureList list = new PictureList(output);
        List<Path> files = new ArrayList<>();
        List<Path> names = new ArrayList<>();
        for (Path path : given) {
            if (Files.isDirectory(path)) {
                for (Path file : inFolder(path, recursive, output)) {
                    files.add(file);
                    names.add(path.relativize(file));
                }
            } else {
                files.add(path);
                names.add(path.getFileName());
            }
        }
        files.forEach(file -> list.taken.add(key(file)));
        for (int i = 0; i < files.size(); i++) {
            list.entries.add(new Entry(files.get(i), list.place(names.get(i))));
        }
        return list.entries;
    }

    private static List<Path> inFolder(Path folder, boolean recursive, Path output) throws IOException {
        Path drawings = output.toAbsolutePath().normalize();
        try (Stream<Path> walk = Files.walk(folder, recursive ? Integer.MAX_VALUE : 1)) {
            List<Path> found = walk.filter(Files::isRegularFile)
                    .filter(file -> ImageNames.isImage(file) && !hidden(folder.relativize(file)))
                    .filter(file -> folder.equals(output)
                            || !file.toAbsolutePath().normalize().startsWith(drawings))
                    .sorted()
                    .toList();
            if (found.isEmpty()) {
                throw new UsageException("PICTURE: there are no pictures in the folder " + folder
                        + (recursive ? "" : " (--recursive looks into the folders in it, too)"));
            }
            return found;
        }
    }

    private static boolean hidden(Path relative) {
        for (Path part : relative) {
            if (ImageNames.isHidden(part)) {
                return true;
            }
        }
        return false;
    }

    private Path place(Path name) {
        String stem = name.getFileName().toString().replaceFirst("\\.[^.]+$", "");
        Path folder = name.getParent() == null ? output : output.resolve(name.getParent());
        Path place = folder.resolve(stem + ".png");
        for (int i = 2; !taken.add(key(place)); i++) {
            place = folder.resolve(stem + "-" + i + ".png");
        }
        return place;
    }

    private static String key(Path path) {
        return path.toAbsolutePath().normalize().toString().toLowerCase(Locale.ROOT);
    }
}
