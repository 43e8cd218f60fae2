package tenon.apps.pretrained;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import tenon.apps.cli.Console;
import tenon.apps.cli.ImageSize;
import tenon.apps.cli.TenonCommand;
import tenon.apps.cli.UsageException;
import tenon.apps.training.Augmentation;
import tenon.apps.training.Classifier;
import tenon.apps.training.NetworkOptions;
import tenon.apps.training.NetworkSpec;
import tenon.apps.training.SavedModel;
import tenon.apps.training.Scaling;
import tenon.engine.Generator;
import tenon.engine.Scope;
import tenon.engine.backend.Backend;
import tenon.engine.backend.cpu.CpuBackend;
import tenon.io.build.TextLines;
import tenon.io.record.RecordSchema;
import tenon.io.record.Records;
import tenon.io.sets.ImageNetClasses;

/** {@code tenon import}: a model from weights that another framework wrote. */
@Command(
        name = "import",
        description = {
            "Makes a model of weights that another framework wrote: safetensors (PyTorch), MXNet's .params, Keras's .h5"
                    + " (Keras 2), NumPy's .npz.",
            "Prints which tensors were found, which are missing and what was left over; a missing one is an error."
                    + " docs/weights.md lists the networks and names that are known."
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  ./tenon import resnet50 resnet50.safetensors --out resnet50.model",
            "  ./tenon import vgg16 vgg16.h5 --classes 10 --new-classifier --out start.model"
        })
public final class ImportCommand extends TenonCommand {
    @Parameters(index = "0", paramLabel = "NETWORK", description = "One of ${COMPLETION-CANDIDATES}.")
    private NetworkSpec.Kind network;

    @Parameters(index = "1", paramLabel = "FILE", description = "The weights.")
    private Path file;

    @Option(
            names = {"--output", "--out"},
            paramLabel = "MODEL",
            required = true,
            description = "The model file to write, for evaluate, predict and export.")
    private Path output;

    @Option(
            names = "--names",
            paramLabel = "NAMES",
            description =
                    "Whose names the file has, e.g. torchvision, timm, mxnet, keras (default: those that find most).")
    private String names;

    @Option(
            names = "--input",
            paramLabel = "HxWxC",
            description = "Height, width and channels of a picture (default: those of the original experiment).")
    private ImageSize input;

    @Option(names = "--classes", paramLabel = "N", description = "Number of classes (default: the file's).")
    private int classes;

    @Option(
            names = "--class-file",
            paramLabel = "FILE",
            description =
                    "Names of the file's classes, one per line in the order of their numbers (default: 0, 1, ...).")
    private Path classFile;

    @Option(
            names = "--records",
            paramLabel = "RECORDS",
            description =
                    "Record file of the data set: the model takes its class names, in its order where --class-file"
                            + " says the file's, and its channel means.")
    private Path records;

    @Option(
            names = "--imagenet",
            paramLabel = "FILE",
            description =
                    "ILSVRC's map_clsloc.txt: names the 1000 classes of published weights, which follow the WordNet"
                            + " ids, and puts them into the order of records that 'build imagenet' makes.")
    private Path imageNet;

    @Option(
            names = "--new-classifier",
            description = "Leave the last layer at its initialization: to train the network on other classes.")
    private boolean newClassifier;

    @Option(
            names = "--partial",
            description = "Leave what the file lacks at its initialization, instead of ending with an error.")
    private boolean partial;

    @Option(
            names = "--augment",
            paramLabel = "PRESET",
            description = "Preset that says how pictures are cut and scaled for this network (default: as the weights'"
                    + " authors did, where the names tell them; ./tenon augment lists the presets).")
    private Augmentation preset;

    @Option(
            names = "--normalize",
            paramLabel = "HOW",
            description = "How pixels become inputs, one of ${COMPLETION-CANDIDATES} (default: the weights' authors' or"
                    + " the preset's).")
    private Scaling scaling;

    @Option(
            names = "--seed",
            paramLabel = "N",
            defaultValue = "42",
            description = "Decides what is left at its initialization. Default: ${DEFAULT-VALUE}.")
    private long seed;

    @Mixin
    private NetworkOptions options;

    @Override
    protected Map<String, ?> run(Console console) throws IOException {
        ClassOrder order = classOrder();
        int count = classes;
        if (order != null) {
            if (count != 0 && count != order.names().size()) {
                throw new UsageException("--classes must be the number of names: " + count + ", names="
                        + order.names().size());
            }
            count = order.names().size();
        }
        Generator.current().manualSeed(seed);
        try (Backend backend = CpuBackend.open(Runtime.getRuntime().availableProcessors());
                Scope _ = Scope.open("model", backend)) {
            PretrainedWeights.Imported imported = PretrainedWeights.read(
                    file,
                    new PretrainedWeights.Wanted(network, input, count, options.multiplier(), options.variant(), names),
                    new PretrainedWeights.Leniency(partial, newClassifier));
            Preparation prepared = Preparation.of(
                    imported.settings,
                    imported.report.names(),
                    preset,
                    scaling,
                    records == null ? null : schema(),
                    "--records RECORDS, or another --normalize");
            if (order != null && !newClassifier) {
                order.apply(imported.spec, imported.network);
            }
            List<String> named = order != null ? order.names() : PretrainedClassifier.numbered(imported.spec.classes());
            SavedModel.write(
                    output,
                    new Classifier(imported.spec, imported.network, prepared.normalization(), prepared.view(), named));
            console.print(imported.report.toString());
            console.print("Wrote %s: %s, %d classes", output, network, imported.spec.classes());
            Map<String, Object> result = new LinkedHashMap<>();
            result.put("model", output.toString());
            result.put("network", network.toString());
            result.put("classes", imported.spec.classes());
            result.putAll(imported.report.toMap());
            return result;
        }
    }

    /** Null where nothing names the classes. */
    private ClassOrder classOrder() {
        if (imageNet != null) {
            if (classFile != null) {
                throw new UsageException("--class-file and --imagenet cannot both be given");
            }
            ImageNetClasses table = ImageNetClasses.read(imageNet);
            return new ClassOrder(table.namesByWordNetId(), records == null ? table.names() : schema().classNames());
        }
        List<String> data = records == null ? null : schema().classNames();
        if (classFile == null) {
            return data == null ? null : new ClassOrder(data, data);
        }
        List<String> theirs = readNames();
        return new ClassOrder(theirs, data == null ? theirs : data);
    }

    private List<String> readNames() {
        List<String> lines = new ArrayList<>();
        try (TextLines text = new TextLines(classFile, "class file", 1 << 16)) {
            for (String line = text.next(); line != null; line = text.next()) {
                if (line.isBlank()) {
                    throw text.error("a class must have a name (remove empty lines, also at the end)");
                }
                lines.add(line.strip());
            }
        }
        return lines;
    }

    private RecordSchema schema() {
        try (Records reader = Records.open(records)) {
            return reader.schema();
        }
    }
}
