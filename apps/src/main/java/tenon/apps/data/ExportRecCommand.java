package tenon.apps.data;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import tenon.apps.cli.Console;
import tenon.apps.cli.ProgressBar;
import tenon.apps.cli.TenonCommand;
import tenon.io.mxnet.MxRecordExport;
import tenon.io.record.Records;

/** {@code tenon export rec}: an MXNet record file with index and list. */
@Command(
        name = "rec",
        description = {
            "Writes an MXNet record file (.rec) with its index (.idx) and list (.lst) beside it.",
            "JPEG and PNG pictures stay as they are, pixels become PNG files."
        },
        footerHeading = "%nExample:%n",
        footer = {
            "  ./tenon export rec records/train-00000-of-00008.trec --out rec/train.rec",
            "  Writes rec/train.rec, rec/train.idx and rec/train.lst from all eight files."
        })
public final class ExportRecCommand extends TenonCommand {
    @Parameters(
            paramLabel = "RECORDS",
            arity = "1..*",
            description = "Record files; one shard stands for its set, a folder for all files in it.")
    private List<Path> files;

    @Option(
            names = {"--output", "--out"},
            paramLabel = "REC",
            required = true,
            description = "The record file to write.")
    private Path output;

    @Override
    protected Map<String, ?> run(Console console) {
        try (Records records = Records.open(files)) {
            MxRecordExport export = new MxRecordExport(records, output);
            ProgressBar bar = new ProgressBar(console, records.sampleCount(), "images");
            export.write(done -> bar.update(done, ""));
            bar.finish(output.getFileName().toString());
            Map<String, Object> result = new LinkedHashMap<>();
            result.put("file", output.toString());
            result.put("index", export.index().toString());
            result.put("list", export.list().toString());
            result.put("samples", records.sampleCount());
            return result;
        }
    }
}
