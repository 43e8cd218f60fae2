package tenon.io.build;

import java.io.IOException;
import java.nio.file.FileVisitOption;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import tenon.io.image.ImageNames;

/**
 * The image files below a folder, each with its class, sorted by name (code units, whatever the locale). Hidden files and folders are passed over.
 *
 * @param entries usable files
 * @param classNames sorted
 * @param skipped files that cannot be listed or have no class
 */
record ImageList(List<Entry> entries, List<String> classNames, List<BuildReport.Skipped> skipped) {
    /**
     * @param key path below the folder, with slashes
     */
    record Entry(Path file, String key, String className) {}

    static ImageList of(Path folder, ClassSource source) {
        if (!Files.isDirectory(folder)) {
            throw new BuildException("image folder " + folder + ": there is no such folder");
        }
        List<Entry> entries = new ArrayList<>();
        List<BuildReport.Skipped> skipped = new ArrayList<>();
        try {
            Files.walkFileTree(
                    folder, EnumSet.of(FileVisitOption.FOLLOW_LINKS), Integer.MAX_VALUE, new SimpleFileVisitor<>() {
                        @Override
                        public FileVisitResult preVisitDirectory(Path visited, BasicFileAttributes attributes) {
                            boolean hidden = !visited.equals(folder) && ImageNames.isHidden(visited);
                            return hidden ? FileVisitResult.SKIP_SUBTREE : FileVisitResult.CONTINUE;
                        }

                        @Override
                        public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
                            if (!ImageNames.isHidden(file) && ImageNames.isImage(file)) {
                                String key = folder.relativize(file).toString().replace('\\', '/');
                                source.of(file, folder)
                                        .ifPresentOrElse(
                                                name -> entries.add(new Entry(file, key, name)),
                                                () -> skipped.add(
                                                        new BuildReport.Skipped(file.toString(), source.reason())));
                            }
                            return FileVisitResult.CONTINUE;
                        }

                        @Override
                        public FileVisitResult visitFileFailed(Path file, IOException e) {
                            skipped.add(new BuildReport.Skipped(file.toString(), "cannot be read: " + e));
                            return FileVisitResult.CONTINUE;
                        }
                    });
        } catch (IOException e) {
            throw new BuildException("image folder " + folder + ": cannot be listed: " + e, e);
        }
        entries.sort(Comparator.comparing(Entry::key));
        skipped.sort(Comparator.comparing(BuildReport.Skipped::source));
        if (source == ClassSource.FOLDER) {
            checkFolders(folder, entries);
        } else if (entries.isEmpty()) {
            throw new BuildException(
                    "image folder " + folder + ": there are no image files in it whose names begin with"
                            + " their class and a dot, as cat.0.jpg does"
                            + (skipped.isEmpty()
                                    ? ""
                                    : ": found=" + skipped.size() + " others, such as "
                                            + skipped.getFirst().source()));
        }
        TreeSet<String> classNames = new TreeSet<>();
        entries.forEach(entry -> classNames.add(entry.className()));
        return new ImageList(List.copyOf(entries), List.copyOf(classNames), skipped);
    }

    private static void checkFolders(Path folder, List<Entry> entries) {
        List<Path> children;
        try (Stream<Path> found = Files.list(folder)) {
            children = found.filter(child -> Files.isDirectory(child) && !ImageNames.isHidden(child))
                    .sorted()
                    .toList();
        } catch (IOException e) {
            throw new BuildException("image folder " + folder + ": cannot be listed: " + e, e);
        }
        String wanted =
                " (wanted: one folder per class with image files: " + new TreeSet<>(ImageNames.EXTENSIONS) + ")";
        if (children.isEmpty()) {
            throw new BuildException("image folder " + folder + ": there are no class folders in it" + wanted);
        }
        if (entries.isEmpty()) {
            throw new BuildException("image folder " + folder + ": there are no image files in its folders" + wanted);
        }
        Set<String> filled = new TreeSet<>();
        entries.forEach(entry -> filled.add(entry.key().substring(0, entry.key().indexOf('/'))));
        for (Path child : children) {
            if (!filled.contains(child.getFileName().toString())) {
                throw new BuildException("image folder " + folder + ": class folder '" + child.getFileName()
                        + "' holds no image files (fill or remove it)" + wanted);
            }
        }
    }
}
