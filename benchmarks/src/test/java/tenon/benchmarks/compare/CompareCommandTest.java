package tenon.benchmarks.compare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tenon.benchmarks.Bench;

class CompareCommandTest {
    @TempDir
    Path folder;

    private Path file(String name, String text) throws IOException {
        return Files.writeString(folder.resolve(name), text);
    }

    private static String row(String net, String ours, String peer) {
        return """
            {"net":"%s","batch":8,"precision":"fp32","mode":"train","ours_rounds":[%s],"peer_rounds":[%s]}\
            """.formatted(net, ours, peer);
    }

    @Test
    void tellsChangesFromNoise() throws IOException {
        Path a = file(
                "a.json",
                "{\"rows\":[" + row("vgg16", "100,101,99", "50,52,51") + "," + row("alexnet", "10,11,12", "5")
                        + "],\"machine\":{\"cpu\":\"A\"}}");
        // A command's whole output, of which the last line counts.
        Path b = file(
                "b.txt",
                "vgg16, batch 8\n  tenon 121 images/s\n{\"command\":\"bench networks\",\"rows\":["
                        + row("vgg16", "120,121,122", "51,50,52") + "," + row("alexnet", "7,7.1,7.2", "5")
                        + "],\"machine\":{\"cpu\":\"B\"}}\n");

        var result = Bench.run("compare", a, b, "--json");

        assertThat(result.exitCode()).as(result.err()).isZero();
        assertThat(result.err()).contains("another cpu: A and B");
        var json = result.json();
        assertThat(json.get("better").asInt()).isEqualTo(1);
        assertThat(json.get("worse").asInt()).isEqualTo(1);
        assertThat(json.get("within_noise").asInt()).isEqualTo(1);
        assertThat(json.get("no_bounds").asInt()).isEqualTo(1);
        var first = json.get("entries").get(0);
        assertThat(first.get("entry").asText()).isEqualTo("vgg16, batch 8, fp32, train: ours");
        assertThat(first.get("verdict").asText()).isEqualTo("better");
        assertThat(first.get("ratio").asDouble()).isCloseTo(1.21, within(0.001));
        assertThat(first.get("low").asDouble()).isBetween(1.18, 1.21);
    }

    @Test
    void longerTimesAreWorse() throws IOException {
        String row = "{\"kernel\":\"add\",\"shape\":\"F32[8]\",\"hot_us_rounds\":[%s]}";
        var result = Bench.run(
                "compare",
                file("a.json", row.formatted("10,10.1,9.9")),
                file("b.json", row.formatted("20,20.1,19.9")),
                "--json");
        assertThat(result.json().get("worse").asInt()).isEqualTo(1);
        assertThat(result.out()).contains("add, F32[8]: hot_us");
    }

    @Test
    void namesEntriesThatOneSideLacks() throws IOException {
        var result = Bench.run(
                "compare",
                file("a.json", "{\"rows\":[" + row("vgg16", "1,2", "1,2") + "," + row("alexnet", "1,2", "1,2") + "]}"),
                file("b.json", row("vgg16", "1,2", "1,2")),
                "--json");
        assertThat(result.json().get("only_in_a")).hasSize(2);
        assertThat(result.json().get("only_in_b")).isEmpty();
    }

    @Test
    void saysWhatAFileLacks() throws IOException {
        Path good = file("good.json", row("vgg16", "1,2", "1,2"));
        assertFails(good, file("text.txt", "no result"), "must be JSON");
        assertFails(good, file("half.json", "{\"rows\":[{\"net\":"), "must be JSON");
        assertFails(good, file("empty.json", "{\"rows\":[]}"), "must hold measurements");
        assertFails(good, file("list.json", "{\"rows\":7}"), "must hold measurements");
        assertFails(good, file("other.json", row("alexnet", "1,2", "1,2")), "must have an entry in common");
        assertFails(good, file("nan.json", row("vgg16", "\"NaN\"", "-1,0")), "must have an entry in common");
        assertFails(good, folder.resolve("none.json"), "no such file or folder");
    }

    private static void assertFails(Path a, Path b, String message) {
        var result = Bench.run("compare", a, b);
        assertThat(result.exitCode()).isEqualTo(1);
        assertThat(result.err()).contains(message);
    }
}
