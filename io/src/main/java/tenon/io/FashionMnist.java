package tenon.io;

import java.io.IOException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Stream;
import tenon.io.build.BuildException;
import tenon.io.build.BuildReport;
import tenon.io.build.BuildSettings;
import tenon.io.build.IdxBuilder;

/**
 * Finds or fetches Fashion-MNIST (Xiao et al., 2017; MIT licence): 60,000 training and 10,000 test images of clothes, 28×28 grey, 10 classes.
 *
 * <p>Tried in order: a folder that the user names (then only that one), Tenon's cache, the folder of the Debian package, the Debian package fetched and
 * unpacked without root, and the public downloads. What is fetched goes to the cache. In every case the SHA-256 of the uncompressed
 * contents must be right; the compressed files of Debian and of the authors differ.
 */
public final class FashionMnist {
    public static final List<String> CLASS_NAMES = List.of(
            "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot");

    public static final int TRAIN_COUNT = 60_000;
    public static final int TEST_COUNT = 10_000;

    static final String TRAIN_IMAGES = "train-images-idx3-ubyte.gz";
    static final String TRAIN_LABELS = "train-labels-idx1-ubyte.gz";
    static final String TEST_IMAGES = "t10k-images-idx3-ubyte.gz";
    static final String TEST_LABELS = "t10k-labels-idx1-ubyte.gz";

    /** SHA-256 of the uncompressed contents. */
    static final Map<String, String> CONTENTS = Map.of(
            TRAIN_IMAGES, "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
            TRAIN_LABELS, "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
            TEST_IMAGES, "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
            TEST_LABELS, "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34");

    private static final Path DEBIAN_FOLDER = Path.of("/usr/share/datasets/fashion-mnist");

    private FashionMnist() {}

    /**
     * Finds the four files, fetching them if need be.
     *
     * @param given folder that must hold the files, or null to look everywhere
     * @param outputFolder takes the place of the cache where the home folder cannot be written
     * @param log told in a line each what is tried
     * @return a folder with the four .gz files, contents checked
     * @throws BuildException naming every attempt, its failure, and what to do
     */
    public static Path obtain(Path given, Path outputFolder, Consumer<String> log) {
        Path cache = cacheFolder(System.getenv(), Path.of(System.getProperty("user.home")), outputFolder);
        return obtain(given, routes(cache, DEBIAN_FOLDER, Fetcher.system()), new DataFiles(CONTENTS), log);
    }

    /** The cache folder: under TENON_HOME, else under XDG_CACHE_HOME or ~/.cache, else under the output folder if none can be written. */
    static Path cacheFolder(Map<String, String> environment, Path home, Path outputFolder) {
        List<Path> candidates = new ArrayList<>();
        if (!environment.getOrDefault("TENON_HOME", "").isEmpty()) {
            candidates.add(Path.of(environment.get("TENON_HOME")));
        }
        String xdg = environment.getOrDefault("XDG_CACHE_HOME", "");
        candidates.add((xdg.isEmpty() ? home.resolve(".cache") : Path.of(xdg)).resolve("tenon"));
        for (Path candidate : candidates) {
            Path folder = candidate.resolve("fashion-mnist");
            if (isWritable(folder)) {
                return folder;
            }
        }
        return outputFolder.resolve("fashion-mnist");
    }

    private static boolean isWritable(Path folder) {
        try {
            Files.createDirectories(folder);
            FileStore store = Files.getFileStore(folder);
            return Files.isWritable(folder) && !store.isReadOnly();
        } catch (IOException _) {
            return false;
        }
    }

    /** One way to come by the files. */
    record Route(String name, Attempt attempt) {
        interface Attempt {
            /** The folder with the four files; any exception says why not. */
            Path find(DataFiles files) throws IOException, InterruptedException;
        }
    }

    static List<Route> routes(Path cache, Path debianFolder, Fetcher fetcher) {
        return List.of(
                new Route("cache " + cache, files -> files.check(cache)),
                new Route("folder " + debianFolder, files -> files.check(debianFolder)),
                new Route("Debian package dataset-fashion-mnist", files -> fetcher.fetchPackage(files, cache)),
                new Route("download from amazonaws.com", files -> fetcher.download(files, cache, Fetcher.AUTHORS)),
                new Route("download from GitHub", files -> fetcher.download(files, cache, Fetcher.GITHUB)));
    }

    static Path obtain(Path given, List<Route> routes, DataFiles files, Consumer<String> log) {
        List<Route> tried = given == null ? routes : List.of(new Route("folder " + given, f -> f.check(given)));
        StringBuilder failures = new StringBuilder();
        for (Route route : tried) {
            try {
                Path folder = route.attempt().find(files);
                log.accept("Fashion-MNIST: " + route.name());
                return folder;
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new BuildException("Fashion-MNIST: interrupted while trying " + route.name(), e);
            } catch (IOException | BuildException e) {
                String reason = e instanceof BuildException ? e.getMessage() : e.toString();
                log.accept("Fashion-MNIST: not from " + route.name() + ": " + reason);
                failures.append("\n  ").append(route.name()).append(": ").append(reason);
            }
        }
        throw new BuildException("Fashion-MNIST: the data set was not found. Tried:" + failures
                + "\nWhat to do: apt-get install dataset-fashion-mnist, or download " + TRAIN_IMAGES + ", "
                + TRAIN_LABELS + ", "
                + TEST_IMAGES + " and " + TEST_LABELS
                + " from https://github.com/zalandoresearch/fashion-mnist and name their folder.");
    }

    /**
     * Builds {@code train.trec} (60,000), perhaps {@code val.trec}, and {@code test.trec} (10,000).
     *
     * @param validation training pictures that go into {@code val.trec} instead
     * @param seed chooses them
     */
    public static BuildReport build(Path idxFolder, int validation, long seed, BuildSettings settings) {
        IdxBuilder training =
                new IdxBuilder(idxFolder.resolve(TRAIN_IMAGES), idxFolder.resolve(TRAIN_LABELS), CLASS_NAMES);
        if (validation > 0) {
            training.holdOutSeeded("val", validation, seed);
        }
        BuildReport train = training.split("train").build(settings);
        BuildReport test = new IdxBuilder(idxFolder.resolve(TEST_IMAGES), idxFolder.resolve(TEST_LABELS), CLASS_NAMES)
                .split("test")
                .build(settings);
        return new BuildReport(
                Stream.concat(train.parts().stream(), test.parts().stream()).toList(),
                List.of(),
                train.built() + test.built(),
                train.file());
    }
}
