package tenon.io.build;

import java.nio.file.Path;
import java.util.List;

/**
 * What a builder wrote and what it left out.
 *
 * @param parts one per split, in their order
 * @param skipped samples that could not be used, in the order in which they were met
 * @param built samples in the files that this build wrote, without those that it kept
 * @param file where the same stands as JSON
 */
public record BuildReport(List<Part> parts, List<Skipped> skipped, long built, Path file) {
    /**
     * A split of a data set, or the share of it that this build made.
     *
     * @param files in the order of the shards
     * @param sampleCount samples in these files
     * @param kept how many of the files an earlier build had finished
     */
    public record Part(String split, List<Path> files, long sampleCount, int kept) {
        /** The first file; the others follow from its name. */
        public Path file() {
            return files.getFirst();
        }
    }

    /** @param source the item's, usually a file */
    public record Skipped(String source, String reason) {}

    public Part part(String split) {
        return parts.stream()
                .filter(part -> part.split().equals(split))
                .findFirst()
                .orElseThrow(() -> new BuildException("build report: no split '" + split + "' among " + parts));
    }

    public long sampleCount() {
        return parts.stream().mapToLong(Part::sampleCount).sum();
    }
}
