package tenon.apps.pretrained;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import tenon.apps.cli.Console;
import tenon.apps.cli.TenonCommand;
import tenon.apps.cli.UsageException;
import tenon.apps.data.ExportRecCommand;
import tenon.apps.onnx.OnnxFile;
import tenon.apps.training.Classifier;
import tenon.apps.training.NetworkSpec;
import tenon.apps.training.SavedModel;
import tenon.engine.Scope;
import tenon.engine.Tensor;
import tenon.engine.backend.Backend;
import tenon.engine.backend.cpu.CpuBackend;
import tenon.io.data.Normalization;
import tenon.optim.checkpoint.AtomicFiles;
import tenon.optim.checkpoint.FileOps;
import tenon.optim.checkpoint.SafetensorsWriter;

/** {@code tenon export}: models, and with {@code rec} record files, in other programs' forms. */
@Command(
        name = "export",
        description = {
            "Writes a trained network for other programs: as ONNX, or as safetensors under Tenon's or PyTorch's names.",
            "With 'rec': writes record files (.trec) as MXNet's."
        },
        subcommands = ExportRecCommand.class,
        footerHeading = "%nExamples:%n",
        footer = {
            "  ./tenon export output/train --to onnx --out net.onnx",
            "  ./tenon export r50.model --to safetensors --names timm --out r50.safetensors"
        })
public final class ExportCommand extends TenonCommand {
    /** What can be written. */
    public enum Format {
        SAFETENSORS,
        ONNX;

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    // Not required for the parser, which would ask for them in front of a sub-command too.
    @Parameters(
            paramLabel = "MODEL",
            arity = "0..1",
            description = "Folder of a training run or of one checkpoint, or a model file.")
    private Path model;

    @Option(names = "--to", paramLabel = "FORMAT", description = "One of ${COMPLETION-CANDIDATES}.")
    private Format format;

    @Option(
            names = {"--output", "--out"},
            paramLabel = "FILE",
            description = "The file to write.")
    private Path output;

    @Option(
            names = "--names",
            paramLabel = "NAMES",
            defaultValue = "tenon",
            description = "Of safetensors: tenon, or torchvision or timm, where the network is the same there. Default:"
                    + " ${DEFAULT-VALUE}.")
    private String names;

    @Override
    protected Map<String, ?> run(Console console) throws IOException {
        if (model == null || format == null || output == null) {
            throw new UsageException(
                    "a model needs all three: MODEL --to FORMAT --out FILE (or: export rec RECORDS --out" + " REC)");
        }
        if (format == Format.ONNX && !names.equals("tenon")) {
            throw new UsageException("--names is for safetensors: ONNX files have Tenon's names");
        }
        try (Backend backend = CpuBackend.open(Runtime.getRuntime().availableProcessors());
                Scope _ = Scope.open("model", backend)) {
            Classifier classifier = SavedModel.read(model);
            NetworkSpec spec = classifier.spec();
            switch (format) {
                case ONNX ->
                    OnnxFile.write(
                            output,
                            spec.kind().toString(),
                            spec::build,
                            spec.input(1),
                            classifier.network().state(),
                            preparation(classifier));
                case SAFETENSORS -> writeSafetensors(classifier);
            }
            long bytes = Files.size(output);
            console.print("Wrote %s: %s, %d classes, %,d bytes", output, spec.kind(), spec.classes(), bytes);
            Map<String, Object> result = new LinkedHashMap<>();
            result.put("file", output.toString());
            result.put("format", format.toString());
            result.put("network", spec.kind().toString());
            result.put("classes", spec.classes());
            if (format == Format.ONNX) {
                result.put("opset", OnnxFile.OPSET);
            } else {
                result.put("names", names);
            }
            result.put("bytes", bytes);
            return result;
        }
    }

    private void writeSafetensors(Classifier classifier) throws IOException {
        NetworkSpec spec = classifier.spec();
        if (names.equals("tenon")) {
            SavedModel.write(output, classifier);
            return;
        }
        NameMap map = WeightExport.map(spec, names);
        NetworkLayers layers = NetworkLayers.of(spec::build, spec.input(1));
        Map<String, Tensor> tensors =
                WeightExport.tensors(layers, map, classifier.network().state());
        Path target = output.toAbsolutePath();
        Files.createDirectories(target.getParent());
        Map<String, String> notes = new LinkedHashMap<>(preparation(classifier));
        notes.put("format", "pt");
        AtomicFiles.replace(target, temporary -> SafetensorsWriter.write(FileOps.SYSTEM, temporary, tensors, notes));
    }

    /** What it takes to make an input of a picture and a class of an output. */
    private static Map<String, String> preparation(Classifier classifier) throws IOException {
        NetworkSpec spec = classifier.spec();
        Normalization normalization = classifier.normalization();
        Map<String, String> notes = new LinkedHashMap<>();
        notes.put("network", spec.kind().toString());
        notes.put("input.layout", "NCHW");
        notes.put("input.colour", spec.channels() == 1 ? "grey" : "RGB");
        notes.put("input.size", spec.height() + "x" + spec.width());
        notes.put("input.picture", classifier.augmentation().fit().description());
        notes.put("input.value", "(pixel from 0 to 255 - mean) / std, per channel");
        notes.put("input.mean", Arrays.toString(normalization.means()));
        notes.put("input.std", Arrays.toString(normalization.stds()));
        notes.put("output", "logits, before softmax");
        notes.put("classes", new ObjectMapper().writeValueAsString(classifier.classNames()));
        return notes;
    }
}
