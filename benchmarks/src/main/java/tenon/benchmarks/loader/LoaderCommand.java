package tenon.benchmarks.loader;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import tenon.apps.cli.Console;
import tenon.apps.cli.TenonCommand;
import tenon.apps.cli.UsageException;
import tenon.benchmarks.Machine;
import tenon.benchmarks.Statistics;
import tenon.engine.Precision;
import tenon.engine.backend.Backend;
import tenon.engine.backend.cpu.CpuBackend;
import tenon.io.jpeg.JpegLibrary;
import tenon.io.record.ImageEncoding;
import tenon.io.record.Records;

/** {@code tenon bench loader}. */
@Command(
        name = "loader",
        description = {
            "Measures how many images a second the loader makes of a record file: read, checked, decoded, cropped at"
                    + " random, mirrored, normalized, in a batch.",
            "In turn with it, on the same records and as many threads, runs the plain way: ImageIO.read, one drawImage,"
                    + " a loop over the bytes."
        },
        footerHeading = "%nExample:%n",
        footer = {
            "  ./tenon synth folders --classes 10 --per-class 200 --size 500x375 --out pictures",
            "  ./tenon build folders pictures --resize 256 --encoding jpeg --quality 95 --out 256.trec",
            "  ./tenon bench loader --records 256.trec --threads 2 --json"
        })
public final class LoaderCommand extends TenonCommand {
    @Option(
            names = "--records",
            paramLabel = "FILE",
            required = true,
            split = ",",
            description = "Record file with JPEG, PNG or raw images of three channels; several shards, or one of them.")
    private List<Path> files;

    @Option(
            names = "--threads",
            paramLabel = "T",
            description = "Worker threads of both loaders. Default: one per processor.")
    private Integer threads;

    @Option(
            names = "--crop",
            paramLabel = "PIXELS",
            defaultValue = "224",
            description = "Side of the square that is cut out. Default: ${DEFAULT-VALUE}.")
    private int crop;

    @Option(
            names = "--decoder",
            paramLabel = "NAME",
            defaultValue = "auto",
            description = "turbo (libjpeg-turbo), stb, imageio, or auto: the first of them that is there."
                    + " Default: ${DEFAULT-VALUE}.")
    private String decoder;

    @Option(
            names = "--precision",
            paramLabel = "NAME",
            defaultValue = "fp32",
            description = "Element type of the batches, fp32 or bf16. Default: ${DEFAULT-VALUE}.")
    private Precision precision;

    @Option(
            names = "--rounds",
            paramLabel = "N",
            defaultValue = "4",
            description = "Each loader is measured so many times, in turn. Default: ${DEFAULT-VALUE}.")
    private int rounds;

    @Option(
            names = "--seconds",
            paramLabel = "S",
            defaultValue = "3",
            description = "Length of each measurement, and of the warm-up. Default: ${DEFAULT-VALUE}.")
    private double seconds;

    @Override
    protected Map<String, ?> run(Console console) {
        int workers = threads != null ? threads : Runtime.getRuntime().availableProcessors();
        if (workers < 1 || rounds < 1 || crop < 1 || !(seconds > 0)) {
            throw new UsageException("--threads, --rounds, --crop and --seconds must be positive: " + workers + ", "
                    + rounds + ", " + crop + ", " + seconds);
        }
        JpegLibrary library = JpegLibrary.named(decoder);
        try (Records records = Records.open(files)) {
            Task task = Task.of(records, crop);
            console.print(
                    "%,d images of %,.0f bytes (%s), decoder: %s",
                    records.sampleCount(), meanBytes(records), encoding(records), library.description());
            return measure(console, task, workers, library);
        }
    }

    private Map<String, ?> measure(Console console, Task task, int workers, JpegLibrary library) {
        List<Double> many = new ArrayList<>();
        List<Double> one = new ArrayList<>();
        List<Double> plain = new ArrayList<>();
        try (Backend backend = CpuBackend.open(1);
                Side tenon = new TenonSide(task, backend, workers, library, precision.dtype());
                Side single = new TenonSide(task, backend, 1, library, precision.dtype());
                Side imageIo = new ImageIoSide(task, workers)) {
            tenon.imagesPerSecond(seconds);
            imageIo.imagesPerSecond(seconds);
            single.imagesPerSecond(seconds);
            for (int round = 1; round <= rounds; round++) {
                many.add(tenon.imagesPerSecond(seconds));
                plain.add(imageIo.imagesPerSecond(seconds));
                one.add(workers == 1 ? many.getLast() : single.imagesPerSecond(seconds));
                console.print(
                        "round %d: tenon %,.0f, ImageIO %,.0f, tenon on one thread %,.0f images/s",
                        round, many.getLast(), plain.getLast(), one.getLast());
            }
        }
        double images = median(many);
        double alone = median(one);
        double ratio = median(ratios(many, plain));
        double scaling = median(ratios(many, one));
        console.print(
                "%,.0f images/s on %d threads, %,.0f per core (ImageIO %,.0f, ratio %.2f); one thread alone %,.0f,"
                        + " scaling %.2f",
                images, workers, images / workers, median(plain) / workers, ratio, alone, scaling);
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("images_per_second", rounded(images));
        json.put("per_core", rounded(images / workers));
        json.put("baseline_per_core", rounded(median(plain) / workers));
        json.put("ratio", rounded(ratio));
        json.put("threads", workers);
        json.put("one_thread_images_per_second", rounded(alone));
        json.put("scaling", rounded(scaling));
        json.put("images", task.records().sampleCount());
        json.put("mean_file_bytes", rounded(meanBytes(task.records())));
        json.put("encoding", encoding(task.records()));
        json.put("crop", crop);
        json.put("precision", precision.toString());
        json.put("decoder", library.description());
        json.put("rounds", Map.of("tenon", many, "imageio", plain, "one_thread", one));
        json.put("machine", Machine.describe());
        return json;
    }

    private static String encoding(Records records) {
        return records.schema().encoding() == ImageEncoding.RAW_U8
                ? "raw " + records.schema().height() + "×" + records.schema().width()
                : "encoded";
    }

    private static double meanBytes(Records records) {
        double sum = 0;
        for (int i = 0; i < records.sampleCount(); i++) {
            sum += records.imageBytes(i);
        }
        return sum / records.sampleCount();
    }

    private static List<Double> ratios(List<Double> a, List<Double> b) {
        List<Double> ratios = new ArrayList<>();
        for (int i = 0; i < a.size(); i++) {
            ratios.add(a.get(i) / b.get(i));
        }
        return ratios;
    }

    private static double median(List<Double> values) {
        return Statistics.median(values.stream().mapToDouble(x -> x));
    }

    private static double rounded(double value) {
        return Math.round(100 * value) / 100.0;
    }
}
