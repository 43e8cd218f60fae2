package tenon.apps.data;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tenon.apps.cli.Console;
import tenon.apps.cli.ProgressBar;
import tenon.io.build.BuildReport;

/** What a builder did, for people and for programs. */
final class BuildOutcome {
    private BuildOutcome() {}

    static Map<String, Object> print(BuildReport report, double seconds, Console console) {
        List<Map<String, Object>> files = new ArrayList<>();
        for (BuildReport.Part part : report.parts()) {
            int count = part.files().size();
            console.print(
                    "%s: %d samples in %s%s%s",
                    part.split(),
                    part.sampleCount(),
                    part.file(),
                    count == 1 ? "" : " and " + (count - 1) + " more",
                    part.kept() == 0 ? "" : ", kept: " + part.kept());
            Map<String, Object> file = new LinkedHashMap<>();
            file.put("split", part.split());
            file.put("file", part.file().toString());
            file.put("count", count);
            file.put("kept", part.kept());
            file.put("samples", part.sampleCount());
            files.add(file);
        }
        if (!report.skipped().isEmpty()) {
            console.print("left out: %d files, listed in %s", report.skipped().size(), report.file());
        }
        double rate = report.built() / seconds;
        if (report.built() > 0) {
            console.print("built %d images in %s, %.1f images/s", report.built(), ProgressBar.duration(seconds), rate);
        }
        Map<String, Object> result = new LinkedHashMap<>();
        result.put("files", files);
        result.put("skipped", report.skipped().size());
        result.put("report", report.file().toString());
        result.put("built", report.built());
        result.put("images_per_second", report.built() == 0 ? 0 : rate);
        return result;
    }
}
