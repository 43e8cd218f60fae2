package tenon.apps.features;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import tenon.apps.cli.ComputeOptions;
import tenon.apps.cli.ComputeSettings;
import tenon.apps.cli.Console;
import tenon.apps.cli.ProgressBar;
import tenon.apps.cli.TenonCommand;
import tenon.apps.cli.UsageException;
import tenon.apps.pretrained.PretrainedClassifier;
import tenon.apps.training.Augmentation;
import tenon.apps.training.Classifier;
import tenon.apps.training.NetworkSpec;
import tenon.apps.training.PictureData;
import tenon.apps.training.SavedModel;
import tenon.engine.Scope;
import tenon.engine.Tensor;
import tenon.engine.backend.Backend;
import tenon.engine.data.Batch;
import tenon.engine.data.BatchIterator;
import tenon.io.data.RecordBatchSource;
import tenon.io.record.Label;
import tenon.io.record.LabelKind;
import tenon.io.record.RecordSchema;
import tenon.io.record.RecordWriter;
import tenon.io.record.Records;

/** {@code tenon features}: what a trained network sees in pictures, as numbers for a simple classifier. */
@Command(
        name = "features",
        description = {
            "Runs a trained network over labelled pictures and writes what one of its layers puts out, one row of fp32"
                    + " numbers a picture, into a record file: input for ./tenon logreg.",
            "By default these are the inputs of the last dense layer, 2048 for ResNet-50."
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  ./tenon features r50.model --data pictures/train --out features.trec",
            "  ./tenon features resnet50.h5 --network resnet50 --data all.trec \\",
            "      --out features.trec",
            "  ./tenon features output/run --data test.trec --layer stage3 --out s3.trec",
            "  ./tenon logreg features.trec --out classifier.safetensors"
        })
public final class FeaturesCommand extends TenonCommand {
    @Parameters(
            paramLabel = "CHECKPOINT",
            description = "Folder of a training run or of one checkpoint, or a model file; with --network other"
                    + " programs' weights.")
    private Path checkpoint;

    @Option(
            names = "--network",
            paramLabel = "NAME",
            description = "CHECKPOINT is a file of another program's weights for this network, as ./tenon import reads"
                    + " it: one of ${COMPLETION-CANDIDATES}.")
    private NetworkSpec.Kind network;

    @Option(
            names = "--names",
            paramLabel = "NAMES",
            description = "With --network: whose names the file has (default: those that find most).")
    private String names;

    @Option(
            names = "--augment",
            paramLabel = "PRESET",
            description = "With --network: how pictures are cut and scaled (default: as the weights' authors did, where"
                    + " the names tell it).")
    private Augmentation preset;

    @Option(
            names = "--data",
            paramLabel = "PATH",
            required = true,
            description = "Record file, or folder of class folders.")
    private Path data;

    @Option(names = "--out", paramLabel = "FILE", required = true, description = "Record file (.trec) to write.")
    private Path out;

    @Option(
            names = "--layer",
            paramLabel = "NAME",
            description = "Take this layer's output (names as ./tenon summary prints them) instead.")
    private String layer;

    @Option(
            names = "--flatten",
            description = "Keep a map's every position; by default its average over height and width is taken.")
    private boolean flatten;

    @Option(
            names = "--batch",
            paramLabel = "N",
            defaultValue = "16",
            description = "Pictures at a time. Default: ${DEFAULT-VALUE}.")
    private int batch;

    @Mixin
    private ComputeOptions compute;

    @Override
    protected Map<String, ?> run(Console console) throws IOException {
        if (batch < 1) {
            throw new UsageException("--batch must be at least 1: " + batch);
        }
        if (network == null && (names != null || preset != null)) {
            throw new UsageException("--names and --augment are for other programs' weights: they need --network");
        }
        if (Files.exists(out)) {
            throw new UsageException("--out exists already: " + out + " (delete it, or choose another name)");
        }
        ComputeSettings settings = compute.settingsOfOneDevice();
        try (Backend backend = settings.open();
                Scope _ = Scope.open("model", backend)) {
            Classifier classifier = network == null
                    ? SavedModel.read(checkpoint)
                    : PretrainedClassifier.read(checkpoint, network, names, preset, console);
            classifier.network().computeIn(settings.precision(backend, console));
            FeatureExtractor extractor = FeatureExtractor.of(classifier.network(), layer, !flatten);
            try (PictureData pictures = PictureData.open(data, classifier, console)) {
                return extract(classifier, extractor, pictures, console);
            }
        }
    }

    private Map<String, Object> extract(
            Classifier classifier, FeatureExtractor extractor, PictureData pictures, Console console)
            throws IOException {
        Records records = pictures.records();
        if (records.schema().label() != LabelKind.CLASS) {
            throw new UsageException("--data must have class labels: " + data + " has "
                    + records.schema().label());
        }
        pictures.warnIfSquashed(classifier, checkpoint, console);
        int width = 0;
        try (RecordBatchSource source = pictures.views(classifier, batch);
                BatchIterator batches = source.iterate(0, 0)) {
            RecordWriter writer = null;
            ProgressBar bar = new ProgressBar(console, source.sampleCount(), "pictures");
            long done = 0;
            try {
                while (batches.hasNext()) {
                    Batch next = batches.next();
                    try (Scope _ = Scope.open("step")) {
                        Tensor features = extractor.features(next.input());
                        if (writer == null) {
                            width = features.shape().dim(1);
                            writer = RecordWriter.create(out, schema(records, extractor, width));
                        }
                        write(writer, features, next, records);
                    }
                    done += next.size();
                    bar.update(done, "Extracting Features");
                }
                if (writer == null) {
                    throw new UsageException("--data holds no pictures: " + data);
                }
                writer.commit();
            } finally {
                if (writer != null) {
                    writer.close();
                }
            }
            bar.finish(width + " features each");
            console.print("%d rows of %d features (%s) written to %s", done, width, extractor.description(), out);
            Map<String, Object> result = new LinkedHashMap<>();
            result.put("rows", done);
            result.put("features", width);
            result.put("from", extractor.description());
            result.put("file", out.toString());
            return result;
        }
    }

    private RecordSchema schema(Records records, FeatureExtractor extractor, int width) {
        return RecordSchema.features(
                        records.schema().split(), width, records.schema().classNames())
                .withBuild(Map.of("network", checkpoint.toString(), "layer", extractor.description()));
    }

    private static void write(RecordWriter writer, Tensor features, Batch batch, Records records) {
        int width = features.shape().dim(1);
        float[] all = new float[batch.size() * width];
        features.download(MemorySegment.ofArray(all));
        float[] row = new float[width];
        for (int i = 0; i < batch.size(); i++) {
            System.arraycopy(all, i * width, row, 0, width);
            int sample = (int) batch.keys()[i];
            writer.add(row, Label.ofClass(records.classIndex(sample)), records.key(sample), records.source(sample));
        }
    }
}
