package tenon.apps.data;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tenon.apps.cli.Console;
import tenon.io.build.BuildReport;

/** What a builder did, for people and for programs. */
final class BuildOutcome {
    private BuildOutcome() {}

    static Map<String, Object> print(BuildReport report, Console console) {
        List<Map<String, Object>> files = new ArrayList<>();
        for (BuildReport.Part part : report.parts()) {
            int count = part.files().size();
            console.print(
                    "%s: %d samples in %s%s",
                    part.split(), part.sampleCount(), part.file(), count == 1 ? "" : " and " + (count - 1) + " more");
            Map<String, Object> file = new LinkedHashMap<>();
            file.put("split", part.split());
            file.put("file", part.file().toString());
            file.put("files", count);
            file.put("kept", part.kept());
            file.put("samples", part.sampleCount());
            files.add(file);
        }
        if (!report.skipped().isEmpty()) {
            console.print("left out: %d files", report.skipped().size());
        }
        Map<String, Object> result = new LinkedHashMap<>();
        result.put("files", files);
        result.put("skipped", report.skipped().size());
        return result;
    }
}
