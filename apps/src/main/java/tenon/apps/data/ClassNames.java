package tenon.apps.data;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Option;
import tenon.apps.cli.UsageException;
import tenon.io.build.TextLines;

/** Names of classes that the data itself numbers only. */
final class ClassNames {
    @Option(
            names = "--classes",
            paramLabel = "NAME,NAME,...",
            split = ",",
            description = "Names of the classes in the order of their numbers. Default: 0,1,....")
    private List<String> names = List.of();

    @Option(names = "--class-file", paramLabel = "FILE", description = "The same from a file, one name per line.")
    private Path file;

    List<String> get() {
        if (file == null) {
            return names;
        }
        if (!names.isEmpty()) {
            throw new UsageException("--classes and --class-file cannot both be given");
        }
        List<String> lines = new ArrayList<>();
        try (TextLines text = new TextLines(file, "class file", 1 << 16)) {
            for (String line = text.next(); line != null; line = text.next()) {
                if (line.isBlank()) {
                    throw text.error("a class must have a name (remove empty lines, also at the end)");
                }
                lines.add(line.strip());
            }
        }
        return lines;
    }
}
