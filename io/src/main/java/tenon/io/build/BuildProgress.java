package tenon.io.build;

import java.nio.file.Path;

/** Told how far a builder is; called on the building thread. */
@FunctionalInterface
public interface BuildProgress {
    BuildProgress NONE = (_, _, _) -> {};

    /**
     * Called after every image.
     *
     * @param what what is being done, e.g. {@code train}
     * @param done units finished, {@code total} at the end
     */
    void update(String what, long done, long total);

    /** Called for every sample that is left out. */
    default void skipped(BuildReport.Skipped sample) {}

    /** Called for every file that an earlier build finished and that therefore is not built again. */
    default void kept(Path file) {}

    /** Called for what the user should know although the build goes on. */
    default void warning(String text) {}
}
