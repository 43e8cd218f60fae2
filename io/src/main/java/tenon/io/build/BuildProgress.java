package tenon.io.build;

/** Told how far a builder is; called on the building thread. */
@FunctionalInterface
public interface BuildProgress {
    BuildProgress NONE = (_, _, _) -> {};

    /**
     * Called now and then.
     *
     * @param what what is being done, e.g. {@code train.trec}
     * @param done units finished, {@code total} at the end
     */
    void update(String what, long done, long total);

    /** Called for every file that is left out. */
    default void skipped(BuildReport.Skipped file) {}
}
