package tenon.benchmarks;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import tenon.engine.TenonException;

/** Runs a class of this class path in a JVM of its own, with this JVM's options. */
public final class ChildProcess {
    private static final int LINES_OF_ERROR = 15;

    private ChildProcess() {}

    /**
     * Waits for the end.
     *
     * @param environment variables to set, or with an empty value to remove
     * @return the last line of its standard output
     * @throws TenonException with the beginning of its standard error when it fails
     */
    public static String run(Class<?> main, Map<String, String> environment, String... arguments) throws IOException {
        Path errors = Files.createTempFile("tenon-bench", ".log");
        try {
            Process process = builder(main, environment, errors, arguments).start();
            try {
                process.getOutputStream().close();
                String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
                int status = process.waitFor();
                if (status != 0 || output.isBlank()) {
                    throw new TenonException("benchmark: the measuring process failed: exit code=" + status + ", "
                            + String.join(" ", arguments) + "\n" + beginning(errors));
                }
                return output.strip().lines().reduce("", (_, line) -> line);
            } finally {
                process.destroyForcibly();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new TenonException("benchmark: interrupted", e);
        } finally {
            Files.delete(errors);
        }
    }

    private static ProcessBuilder builder(
            Class<?> main, Map<String, String> environment, Path errors, String... arguments) {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(ManagementFactory.getRuntimeMXBean().getInputArguments());
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), main.getName()));
        command.addAll(List.of(arguments));
        ProcessBuilder builder = new ProcessBuilder(command).redirectError(errors.toFile());
        environment.forEach((name, value) -> {
            if (value.isEmpty()) {
                builder.environment().remove(name);
            } else {
                builder.environment().put(name, value);
            }
        });
        return builder;
    }

    /** The exception's first lines; the JVM's own warnings come before it. */
    private static String beginning(Path errors) throws IOException {
        try (Stream<String> lines = Files.lines(errors)) {
            return lines.filter(line -> !line.startsWith("WARNING"))
                    .limit(LINES_OF_ERROR)
                    .collect(Collectors.joining("\n"));
        }
    }
}
