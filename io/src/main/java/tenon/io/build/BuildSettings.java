package tenon.io.build;

import java.nio.file.Path;
import java.util.function.BooleanSupplier;

/** What all builders can be told: where the records go, how images are stored, how the work is spread. */
public final class BuildSettings {
    private final Path output;
    private ImageStore store = ImageStore.KEEP;
    private int threads = Runtime.getRuntime().availableProcessors();
    private int shards;
    private BuildPart part = BuildPart.WHOLE;
    private boolean verify = true;
    private long seed = 42;
    private BuildProgress progress = BuildProgress.NONE;
    private BooleanSupplier stopped = () -> false;

    private BuildSettings(Path output) {
        this.output = output;
    }

    /**
     * Starts with the defaults.
     *
     * @param output a folder, which then holds {@code split.trec} for every split; or a name that ends with {@code .trec}, for builds of one split
     */
    public static BuildSettings into(Path output) {
        return new BuildSettings(output);
    }

    /** The same settings for another output. */
    public BuildSettings redirected(Path other) {
        BuildSettings copy = new BuildSettings(other);
        copy.store = store;
        copy.threads = threads;
        copy.shards = shards;
        copy.part = part;
        copy.verify = verify;
        copy.seed = seed;
        copy.progress = progress;
        copy.stopped = stopped;
        return copy;
    }

    /** Default: {@link ImageStore#KEEP}. */
    public BuildSettings store(ImageStore value) {
        store = value;
        return this;
    }

    /** Threads that read, decode and encode; default: all processors. The result does not depend on it. */
    public BuildSettings threads(int value) {
        threads = atLeastOne("threads", value);
        return this;
    }

    /** Files per split; default: one per part. */
    public BuildSettings shards(int value) {
        shards = atLeastOne("shards", value);
        return this;
    }

    /** Builds only a share of the shards; default: all. */
    public BuildSettings part(BuildPart value) {
        part = value;
        return this;
    }

    /** Whether every file is read back after writing, and a finished file before it is kept; default: yes. */
    public BuildSettings verify(boolean value) {
        verify = value;
        return this;
    }

    /** Of what a builder draws: order, splits. Default: 42. */
    public BuildSettings seed(long value) {
        seed = value;
        return this;
    }

    public BuildSettings progress(BuildProgress value) {
        progress = value;
        return this;
    }

    /** Asked between images; true ends the build with an exception. Files finished until then stay. */
    public BuildSettings stopWhen(BooleanSupplier value) {
        stopped = value;
        return this;
    }

    private static int atLeastOne(String name, int value) {
        if (value < 1) {
            throw new BuildException("build: " + name + " must be at least 1: given=" + value);
        }
        return value;
    }

    public Path output() {
        return output;
    }

    public ImageStore store() {
        return store;
    }

    public int threads() {
        return threads;
    }

    public int shards() {
        if (shards == 0) {
            return part.count();
        }
        if (shards < part.count()) {
            throw new BuildException(
                    "build: shards must be at least as many as parts: shards=" + shards + ", parts=" + part.count());
        }
        return shards;
    }

    public BuildPart part() {
        return part;
    }

    public boolean verify() {
        return verify;
    }

    public long seed() {
        return seed;
    }

    public BuildProgress progress() {
        return progress;
    }

    /** Whether the build is to end now. */
    public boolean stopped() {
        return stopped.getAsBoolean();
    }
}
