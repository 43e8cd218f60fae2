package tenon.benchmarks.networks;

import java.io.IOException;
import java.time.LocalDate;
import java.util.LinkedHashMap;
import java.util.Map;
import tenon.apps.cli.Console;
import tenon.engine.Precision;

/** A row to measure against libtorch and, in training, the chained floor. */
public record RowRequest(BenchmarkNetwork network, int batch, Precision precision, Mode mode, int threads) {
    /** Under the names that the row itself has them. */
    public Map<String, Object> identity() {
        Map<String, Object> identity = new LinkedHashMap<>();
        identity.put("net", network.toString());
        identity.put("batch", batch);
        identity.put("precision", precision.toString());
        identity.put("mode", mode.toString());
        identity.put("threads", threads);
        return identity;
    }

    /** The row as {@code bench networks --json} prints it, with the date. */
    public Map<String, Object> measure(Console console, int rounds, double seconds) throws IOException {
        NetworkRow row = new NetworkRow(network, batch, precision, mode, threads);
        new NetworkComparison(console, true, rounds, new Budget(seconds, 0), true, false).measure(row);
        Map<String, Object> map = row.toMap();
        map.put("date", LocalDate.now().toString());
        return map;
    }

    @Override
    public String toString() {
        return network + ", batch " + batch + ", " + precision + ", " + mode;
    }
}
