package tenon.io.data;

import java.util.Map;
import java.util.TreeMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tenon.engine.TenonException;

/** Samples that a source left out, each counted once however often epochs come to it. Used by all workers. */
final class SkippedSamples {
    private static final Logger LOG = LoggerFactory.getLogger(RecordBatchSource.class);

    /** Warnings about single samples; a whole file of bad ones must not fill the log. */
    private static final int WARNED = 10;

    private final Map<Integer, String> reasons = new TreeMap<>();

    synchronized void add(int sample, TenonException error) {
        if (reasons.putIfAbsent(sample, error.getMessage()) != null) {
            return;
        }
        if (reasons.size() <= WARNED) {
            LOG.warn("left out: {}", error.getMessage());
        }
        if (reasons.size() == WARNED) {
            LOG.warn("further samples that are left out are only counted");
        }
    }

    /** Sample number and why. */
    synchronized Map<Integer, String> reasons() {
        return new TreeMap<>(reasons);
    }
}
