package tenon.apps;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

class MainTest {
    @Test
    void everyCommandExplainsItselfWithAnExample() {
        checkHelp(Main.commandLine());
    }

    private static void checkHelp(CommandLine commandLine) {
        var spec = commandLine.getCommandSpec();
        String help = commandLine.getUsageMessage();
        assertThat(spec.usageMessage().description()).as(spec.qualifiedName()).isNotEmpty();
        spec.options()
                .forEach(option -> assertThat(option.description())
                        .as(spec.qualifiedName() + " " + option.longestName())
                        .isNotEmpty());
        // Picocli formats texts: a lone % would lose its line breaks.
        Stream.concat(
                        Stream.of(spec.usageMessage().description()),
                        spec.options().stream().flatMap(option -> Stream.of(option.description())))
                .forEach(text -> assertThat(String.format(text)).isNotEmpty());
        if (commandLine.getSubcommands().isEmpty()) {
            assertThat(help).as(spec.qualifiedName()).contains("Example").contains("./" + spec.qualifiedName() + " ");
            // Examples are for copying: none may wrap.
            assertThat(spec.usageMessage().footer()).allMatch(line -> line.length() < 80);
            assertThat(spec.findOption("--json")).as(spec.qualifiedName()).isNotNull();
        }
        commandLine.getSubcommands().values().forEach(MainTest::checkHelp);
    }

    @Test
    void helpIsExitCode0() {
        assertThat(Cli.run("inspect", "--help").exitCode()).isZero();
        assertThat(Cli.run("--help").exitCode()).isZero();
        assertThat(Cli.run("--version").out()).startsWith("tenon ");
    }

    @Test
    void unknownCommandAndOptionAreExitCode2WithAHint() {
        Cli.Result command = Cli.run("inspct", "x");
        assertThat(command.exitCode()).isEqualTo(2);
        assertThat(command.err()).contains("'inspct'").contains("Did you mean inspect?");
        Cli.Result option = Cli.run("inspect", "x.trec", "--verfy");
        assertThat(option.exitCode()).isEqualTo(2);
        assertThat(option.errLines().getFirst())
                .isEqualTo("tenon inspect: Unknown option: '--verfy'. Did you mean --verify?");
    }
}
