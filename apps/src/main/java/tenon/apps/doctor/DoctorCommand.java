package tenon.apps.doctor;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalLong;
import picocli.CommandLine.Command;
import tenon.apps.cli.Console;
import tenon.apps.cli.TenonCommand;
import tenon.apps.pictures.Fonts;
import tenon.engine.TenonException;
import tenon.engine.backend.Backend;
import tenon.engine.backend.cpu.CpuBackend;
import tenon.engine.backend.cuda.CudaBackend;
import tenon.engine.backend.reference.ReferenceBackend;
import tenon.engine.nativelib.CpuInfo;
import tenon.engine.nativelib.CudaInfo;
import tenon.engine.nativelib.DnnlInfo;
import tenon.io.jpeg.JpegLibrary;

/** {@code tenon doctor}: what this machine offers, what is missing and how to get it. */
@Command(
        name = "doctor",
        description =
                "Shows what hardware and libraries are there, what is missing and how to get it, and which back-end"
                        + " supports which operation.",
        footerHeading = "%nExample:%n",
        footer = "  ./tenon doctor --json")
public final class DoctorCommand extends TenonCommand {
    private static final double GIB = 1L << 30;

    private final Map<String, Object> result = new LinkedHashMap<>();
    private final List<String> advice = new ArrayList<>();
    private Console console;

    @Override
    protected Map<String, ?> run(Console out) {
        console = out;
        java();
        processor();
        memory();
        drawing();
        decoder();
        List<Backend> backends = new ArrayList<>(List.of(ReferenceBackend.open()));
        try {
            onednn(backends);
            gpu(backends);
            console.print("");
            SupportMatrix.lines(backends).forEach(console::print);
            result.put("support", SupportMatrix.json(backends));
        } finally {
            backends.forEach(Backend::close);
        }
        console.print("");
        result.put("advice", advice);
        if (advice.isEmpty()) {
            console.print("Nothing is missing.");
        } else {
            console.print("To do:");
            advice.forEach(text -> console.print("- " + text));
        }
        return result;
    }

    private void line(String key, String label, String text) {
        result.put(key, text);
        console.print("%-12s %s", label, text);
    }

    private void java() {
        line(
                "java",
                "java",
                Runtime.version() + ", " + System.getProperty("java.vendor") + ", " + System.getProperty("java.home"));
        line(
                "os",
                "system",
                System.getProperty("os.name") + " " + System.getProperty("os.version") + ", "
                        + System.getProperty("os.arch"));
    }

    private void processor() {
        CpuInfo cpu = CpuInfo.read();
        line("cpu", "processor", cpu.model());
        List<String> sets = SystemFacts.HERE.instructionSets();
        if (!sets.isEmpty()) {
            line("instruction_sets", "", String.join(" ", sets));
        }
        double allowed = SystemFacts.HERE.containerProcessors();
        result.put("processors", cpu.availableCores());
        console.print(
                "%-12s %d of %d usable%s",
                "",
                cpu.availableCores(),
                cpu.logicalCores(),
                Double.isNaN(allowed) ? "" : String.format(Locale.ROOT, ", the container allows %.1f", allowed));
    }

    private void memory() {
        SystemFacts facts = SystemFacts.HERE;
        OptionalLong container = CpuInfo.read().memoryLimitBytes();
        long heap = Runtime.getRuntime().maxMemory();
        String total = gib(facts.totalMemory());
        line(
                "memory",
                "memory",
                total + " in all, " + gib(facts.availableMemory()) + " available, "
                        + (container.isPresent() ? gib(container) + " allowed by the container" : "no container limit")
                        + ", Java heap at most " + gib(OptionalLong.of(heap)));
        OptionalLong usable = container.isPresent() ? container : facts.availableMemory();
        if (usable.isPresent() && usable.getAsLong() < 2 * GIB) {
            advice.add("less than 2 GiB of memory: use smaller batches (--batch 16)");
        }
        String hugePages = facts.hugePages();
        if (hugePages != null) {
            line("huge_pages", "huge pages", hugePages);
            if (hugePages.equals("never")) {
                advice.add("transparent huge pages are off, which slows training: as root,"
                        + " echo madvise > /sys/kernel/mm/transparent_hugepage/enabled");
            }
        }
    }

    private static String gib(OptionalLong bytes) {
        return bytes.isPresent() ? String.format(Locale.ROOT, "%.1f GiB", bytes.getAsLong() / GIB) : "unknown";
    }

    private void drawing() {
        result.put("fonts", Fonts.available());
        console.print("%-12s %s", "fonts", Fonts.available() ? "found" : "none");
        if (!Fonts.available()) {
            advice.add("no fonts, so no charts and labelled pictures: apt-get install fontconfig fonts-dejavu-core");
        }
    }

    private void decoder() {
        line("jpeg_decoder", "JPEG decoder", JpegLibrary.preferred().description());
        JpegLibrary.TURBO
                .problem()
                .ifPresent(problem -> advice.add("JPEG pictures load at half the speed: " + problem));
    }

    private void gpu(List<Backend> backends) {
        GpuReport report = GpuReport.of(CudaInfo.read());
        result.putAll(report.json());
        report.lines().forEach(console::print);
        advice.addAll(report.advice());
        if (report.usable()) {
            try {
                backends.add(CudaBackend.open());
            } catch (TenonException | LinkageError e) {
                result.put("gpu_problem", e.getMessage());
                advice.add("--device cuda cannot be used: " + e.getMessage());
            }
        }
    }

    private void onednn(List<Backend> backends) {
        try {
            DnnlInfo info = DnnlInfo.read();
            line("onednn", "oneDNN", info.version() + ", instruction set " + info.instructionSet());
            result.put("native_folder", Path.of(info.path()).getParent().toString());
            console.print("%-12s unpacked in %s", "", Path.of(info.path()).getParent());
            backends.add(CpuBackend.open());
        } catch (TenonException | LinkageError e) {
            line("onednn", "oneDNN", "does not load");
            advice.add("oneDNN does not load, so --device cpu cannot be used (--device reference can, slowly): "
                    + e.getMessage());
        }
    }
}
