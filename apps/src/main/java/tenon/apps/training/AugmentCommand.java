package tenon.apps.training;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import tenon.apps.cli.Console;
import tenon.apps.cli.ImageSize;
import tenon.apps.cli.TenonCommand;
import tenon.apps.cli.UsageException;
import tenon.apps.pictures.ContactSheet;
import tenon.apps.pictures.PngFile;
import tenon.engine.Rng;
import tenon.io.augment.AugmenterChain;
import tenon.io.augment.FloatImage;
import tenon.io.image.Image;
import tenon.io.image.ImageCodec;

/** {@code tenon augment}: what the presets of {@code --augment} do to a picture. */
@Command(
        name = "augment",
        description = {
            "Draws a sheet that shows a picture as it is stored, as evaluation sees it, and as training sees it again"
                    + " and again.",
            "Without a picture: lists the presets of tenon train --augment, one for each case study."
        },
        footerHeading = "%nExample:%n",
        footer = "  ./tenon augment dog.jpg --preset alexnet --out sheet.png")
public final class AugmentCommand extends TenonCommand {
    private static final int MOST = 1000;

    @Parameters(arity = "0..1", paramLabel = "PICTURE", description = "JPEG, PNG, BMP, TIFF or WebP.")
    private Path picture;

    @Option(
            names = "--preset",
            paramLabel = "NAME",
            description = "One of ${COMPLETION-CANDIDATES}. Without a picture: only this one is listed.")
    private Augmentation preset;

    @Option(
            names = {"--out", "--output"},
            paramLabel = "FILE",
            defaultValue = "output/augment.png",
            description = "Where the sheet goes. Default: ${DEFAULT-VALUE}.")
    private Path output;

    @Option(
            names = "--count",
            paramLabel = "N",
            defaultValue = "10",
            description = "Training samples to show. Default: ${DEFAULT-VALUE}.")
    private int count;

    @Option(
            names = "--size",
            paramLabel = "HxWxC",
            description = "The network's input (default: as in the case study).")
    private ImageSize size;

    @Option(
            names = "--seed",
            paramLabel = "N",
            defaultValue = "42",
            description = "Of the random changes. Default: ${DEFAULT-VALUE}.")
    private long seed;

    @Override
    protected Map<String, ?> run(Console console) throws IOException {
        if (picture == null) {
            List<Augmentation> presets = preset == null ? List.of(Augmentation.values()) : List.of(preset);
            presets.forEach(each -> console.print(describe(each)));
            return Map.of("presets", presets.stream().map(this::values).toList());
        }
        if (preset == null) {
            throw new UsageException("--preset says what to do with " + picture + " (without a picture, ./tenon augment"
                    + " lists the presets)");
        }
        if (count < 1 || count > MOST) {
            throw new UsageException("--count must lie in [1, " + MOST + "]: " + count);
        }
        PngFile.write(output, sheet(ImageCodec.read(picture)));
        console.print(describe(preset));
        console.print("Sheet: %s", output);
        Map<String, Object> result = new LinkedHashMap<>();
        result.put("picture", picture.toString());
        result.put("sheet", output.toString());
        result.put("seed", seed);
        result.putAll(values(preset));
        return result;
    }

    private ImageSize input(Augmentation augmentation) {
        return size != null ? size : augmentation.input();
    }

    private BufferedImage sheet(Image whole) {
        ImageSize input = input(preset);
        Image stored = preset.fit().store(whole.withChannels(input.channels()), input.height(), input.width());
        List<ContactSheet.Cell> cells = new ArrayList<>();
        cells.add(cell(stored, "stored"));
        cells.add(cell(preset.view(stored, input.height(), input.width()).toImage(), "evaluation"));
        AugmenterChain training = new AugmenterChain(preset.training(input.height(), input.width()));
        for (int i = 0; i < count; i++) {
            FloatImage sample = training.apply(FloatImage.of(stored), new Rng(seed, Rng.stream("augment"), i));
            cells.add(cell(sample.toImage(), "training " + (i + 1)));
        }
        return ContactSheet.draw(cells, Math.min(cells.size(), 4), ContactSheet.Scale.ALL_ALIKE);
    }

    private static ContactSheet.Cell cell(Image image, String caption) {
        return ContactSheet.Cell.of(ImageCodec.toBufferedImage(image), caption);
    }

    private String describe(Augmentation augmentation) {
        StringBuilder text = new StringBuilder(augmentation + ": " + augmentation.study());
        values(augmentation).forEach((name, value) -> {
            if (!name.equals("preset") && !name.equals("study")) {
                text.append(String.format("%n    %-11s %s", name, value));
            }
        });
        return text.toString();
    }

    private Map<String, Object> values(Augmentation augmentation) {
        ImageSize input = input(augmentation);
        Map<String, Object> values = new LinkedHashMap<>();
        values.put("preset", augmentation.toString());
        values.put("study", augmentation.study());
        values.put("input", input.toString());
        values.put("stored", augmentation.fit().description());
        values.put("training", AugmenterText.of(augmentation.training(input.height(), input.width())));
        values.put("evaluation", AugmenterText.of(augmentation.evaluation(input.height(), input.width())));
        values.put("values", augmentation.scaling().description());
        return values;
    }
}
