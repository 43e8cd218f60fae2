package tenon.io.build;

import java.nio.file.Path;
import java.util.List;

/**
 * What a builder wrote and what it left out.
 *
 * @param parts files written, in the order of the splits
 * @param skipped files that could not be used, in the order in which they were met
 */
public record BuildReport(List<Part> parts, List<Skipped> skipped) {
    public record Part(String split, Path file, long sampleCount) {}

    public record Skipped(Path file, String reason) {}

    public Part part(String split) {
        return parts.stream()
                .filter(part -> part.split().equals(split))
                .findFirst()
                .orElseThrow(() -> new BuildException("build report: no split '" + split + "' among " + parts));
    }
}
