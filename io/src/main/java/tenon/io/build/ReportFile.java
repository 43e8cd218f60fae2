package tenon.io.build;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What a build made and what it left out, as JSON beside the records. The same result gives the same bytes. */
final class ReportFile {
    private static final ObjectMapper JSON = new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

    private ReportFile() {}

    static void write(String builder, BuildReport report) {
        Path target = report.file();
        List<Map<String, Object>> splits = new ArrayList<>();
        for (BuildReport.Part part : report.parts()) {
            Map<String, Object> split = new LinkedHashMap<>();
            split.put("split", part.split());
            split.put("samples", part.sampleCount());
            split.put(
                    "files",
                    part.files().stream()
                            .map(file -> file.getFileName().toString())
                            .toList());
            splits.add(split);
        }
        Map<String, Object> values = new LinkedHashMap<>();
        values.put("builder", builder);
        values.put("splits", splits);
        values.put("skippedCount", report.skipped().size());
        values.put("skipped", report.skipped());
        Path temporary = target.resolveSibling("." + target.getFileName() + ".tmp");
        try {
            byte[] bytes = JSON.writeValueAsBytes(values);
            try (FileChannel channel = FileChannel.open(
                    temporary,
                    StandardOpenOption.CREATE,
                    StandardOpenOption.WRITE,
                    StandardOpenOption.TRUNCATE_EXISTING)) {
                ByteBuffer buffer = ByteBuffer.wrap(bytes);
                while (buffer.hasRemaining()) {
                    channel.write(buffer);
                }
                channel.force(true);
            }
            Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            throw new BuildException("build: the report " + target + " cannot be written: " + e, e);
        }
    }
}
