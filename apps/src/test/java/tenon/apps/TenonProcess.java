package tenon.apps;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The command line in a process of its own, for tests that end it by a signal. For Linux. */
public final class TenonProcess {
    private TenonProcess() {}

    /** @param log where both streams go */
    public static Process start(Path log, Object... arguments) throws IOException {
        return start(log, command(arguments));
    }

    /**
     * The same in a terminal of its own, of util-linux's {@code script}.
     *
     * @param log what the terminal gets to show
     */
    public static Process startInTerminal(Path log, int columns, Object... arguments) throws IOException {
        String command = command(arguments).stream()
                .map(word -> "'" + word.replace("'", "'\\''") + "'")
                .collect(Collectors.joining(" "));
        return start(
                log,
                List.of("script", "-qec", "unset COLUMNS; stty cols " + columns + " && exec " + command, "/dev/null"));
    }

    private static Process start(Path log, List<String> command) throws IOException {
        return new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
    }

    private static List<String> command(Object... arguments) {
        // A process that a script put into the background, and what it starts, would ignore Ctrl-C.
        List<String> command = new ArrayList<>(List.of(
                "env",
                "--default-signal=INT",
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "--add-modules=jdk.incubator.vector",
                "-Dorg.bytedeco.javacpp.maxphysicalbytes=0",
                "-cp",
                System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
                "tenon.apps.Main"));
        Stream.of(arguments).map(String::valueOf).forEach(command::add);
        return command;
    }

    /** Sends a signal and waits for the end. */
    public static void end(Process process, String signal) throws Exception {
        new ProcessBuilder("kill", signal, Long.toString(process.pid())).start().waitFor();
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    }
}
