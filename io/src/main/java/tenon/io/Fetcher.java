package tenon.io;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import tenon.io.build.BuildException;

/**
 * Fetches the data set over the network.
 *
 * @param commands runs programs
 * @param downloads fetches addresses
 */
record Fetcher(Commands commands, Downloads downloads) {
    /** The authors' site has no HTTPS; the checksums make that safe. */
    static final String AUTHORS = "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/";

    static final String GITHUB = "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/";
    private static final String PACKAGE = "dataset-fashion-mnist";

    /** Runs a program. */
    interface Commands {
        /** Runs to the end in {@code folder}; throws with the output when the program is absent or fails. */
        void run(Path folder, List<String> command) throws IOException, InterruptedException;
    }

    /** Fetches an address. */
    interface Downloads {
        void fetch(URI from, Path to) throws IOException, InterruptedException;
    }

    static Fetcher system() {
        return new Fetcher(Fetcher::runProgram, Fetcher::fetchHttp);
    }

    /** Downloads and unpacks the Debian package in a temporary folder: neither step needs root. */
    Path fetchPackage(DataFiles files, Path cache) throws IOException, InterruptedException {
        Path work = Files.createTempDirectory("tenon-fashion-mnist");
        try {
            commands.run(work, List.of("apt-get", "download", PACKAGE));
            Path archive;
            try (Stream<Path> found = Files.list(work)) {
                archive = found.filter(file -> file.toString().endsWith(".deb"))
                        .findFirst()
                        .orElseThrow(() -> new BuildException("apt-get download left no .deb file"));
            }
            commands.run(work, List.of("dpkg-deb", "-x", archive.getFileName().toString(), "unpacked"));
            return files.adopt(work.resolve("unpacked/usr/share/datasets/fashion-mnist"), cache);
        } finally {
            deleteTree(work);
        }
    }

    /** Downloads every file below {@code base}. */
    Path download(DataFiles files, Path cache, String base) throws IOException, InterruptedException {
        Path work = Files.createTempDirectory("tenon-fashion-mnist");
        try {
            for (String name : files.contents().keySet()) {
                downloads.fetch(URI.create(base + name), work.resolve(name));
            }
            return files.adopt(work, cache);
        } finally {
            deleteTree(work);
        }
    }

    private static void runProgram(Path folder, List<String> command) throws IOException, InterruptedException {
        Path output = Files.createTempFile("tenon", ".log");
        try {
            Process process = new ProcessBuilder(command)
                    .directory(folder.toFile())
                    .redirectErrorStream(true)
                    .redirectOutput(output.toFile())
                    .start();
            if (!process.waitFor(5, TimeUnit.MINUTES)) {
                process.destroyForcibly();
                throw new IOException(String.join(" ", command) + " did not end within 5 minutes");
            }
            if (process.exitValue() != 0) {
                throw new IOException(String.join(" ", command) + " failed with exit code " + process.exitValue() + ": "
                        + Files.readString(output).strip());
            }
        } finally {
            Files.deleteIfExists(output);
        }
    }

    private static void fetchHttp(URI from, Path to) throws IOException, InterruptedException {
        try (HttpClient client = HttpClient.newBuilder()
                .connectTimeout(Duration.ofSeconds(15))
                .followRedirects(HttpClient.Redirect.NORMAL)
                .build()) {
            HttpRequest request =
                    HttpRequest.newBuilder(from).timeout(Duration.ofMinutes(5)).build();
            HttpResponse<Path> response = client.send(request, HttpResponse.BodyHandlers.ofFile(to));
            if (response.statusCode() != 200) {
                throw new IOException("HTTP status " + response.statusCode() + " for " + from);
            }
        }
    }

    private static void deleteTree(Path folder) throws IOException {
        Files.walkFileTree(folder, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                Files.delete(file);
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult postVisitDirectory(Path visited, IOException e) throws IOException {
                Files.delete(visited);
                return FileVisitResult.CONTINUE;
            }
        });
    }
}
