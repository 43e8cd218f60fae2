package tenon.benchmarks;

import java.time.LocalDate;
import java.util.LinkedHashMap;
import java.util.Map;
import tenon.engine.nativelib.CpuInfo;
import tenon.optim.train.BuildInfo;

/** What a figure was measured on. */
public final class Machine {
    /** As {@code pom.xml} chooses it. */
    public static final String PEER = "libtorch 2.10.0";

    private Machine() {}

    /** By name: date, processor, cores, Java, Tenon's commit. */
    public static Map<String, String> describe() {
        Map<String, String> facts = new LinkedHashMap<>();
        CpuInfo cpu = CpuInfo.read();
        facts.put("date", LocalDate.now().toString());
        facts.put("cpu", cpu.model());
        facts.put("cores", Integer.toString(cpu.availableCores()));
        facts.put("os", System.getProperty("os.name") + " " + System.getProperty("os.version"));
        facts.put("java", Runtime.version() + " " + System.getProperty("java.vendor"));
        facts.put("tenon", BuildInfo.current().commit());
        return facts;
    }
}
