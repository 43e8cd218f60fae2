package tenon.apps.doctor;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;
import tenon.engine.DType;
import tenon.engine.backend.Backend;
import tenon.engine.backend.OpKind;

/** Which back-end computes which operation in which dtype. */
final class SupportMatrix {
    private SupportMatrix() {}

    /** One line per operation, dtypes per back-end, after a header line. */
    static List<String> lines(List<Backend> backends) {
        int width = 1
                + Stream.of(OpKind.values())
                        .mapToInt(op -> op.name().length())
                        .max()
                        .orElse(0);
        StringBuilder header = new StringBuilder(pad("operation", width));
        backends.forEach(backend -> header.append(' ').append(pad(backend.name(), 16)));
        List<String> lines = new ArrayList<>(List.of(header.toString().stripTrailing()));
        for (OpKind op : OpKind.values()) {
            StringBuilder line = new StringBuilder(pad(op.name().toLowerCase(Locale.ROOT), width));
            for (Backend backend : backends) {
                List<String> dtypes = dtypes(backend, op);
                line.append(' ').append(pad(dtypes.isEmpty() ? "-" : String.join(" ", dtypes), 16));
            }
            lines.add(line.toString().stripTrailing());
        }
        return lines;
    }

    /** Back-end → operation → dtypes. */
    static Map<String, Map<String, List<String>>> json(List<Backend> backends) {
        Map<String, Map<String, List<String>>> matrix = new LinkedHashMap<>();
        for (Backend backend : backends) {
            Map<String, List<String>> row = new LinkedHashMap<>();
            for (OpKind op : OpKind.values()) {
                row.put(op.name().toLowerCase(Locale.ROOT), dtypes(backend, op));
            }
            matrix.put(backend.name(), row);
        }
        return matrix;
    }

    private static List<String> dtypes(Backend backend, OpKind op) {
        return Stream.of(DType.values())
                .filter(dtype -> backend.supports(op, dtype))
                .map(dtype -> dtype.name().toLowerCase(Locale.ROOT))
                .toList();
    }

    private static String pad(String text, int width) {
        return String.format("%-" + width + "s", text);
    }
}
