package tenon.engine.backend.cpu;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Compiled primitives by (op, spec, shapes, dtype). They live as long as the back-end. Guarded by the monitor of {@link Dnnl}. */
final class PrimitiveCache implements AutoCloseable {
    @FunctionalInterface
    interface Compiler<K extends Record> {
        Compiled compile(K key);
    }

    private final Map<Record, Compiled> compiled = new HashMap<>();

    <K extends Record> Compiled get(K key, Compiler<K> compiler) {
        Compiled hit = compiled.get(key);
        if (hit == null) {
            hit = compiler.compile(key);
            compiled.put(key, hit);
        }
        return hit;
    }

    List<PrimitiveReport> report() {
        List<PrimitiveReport> reports = new ArrayList<>();
        for (Compiled entry : compiled.values()) {
            if (entry.primitive() != null) {
                reports.add(entry.primitive().report);
            }
        }
        return reports;
    }

    @Override
    public void close() {
        compiled.values().forEach(Compiled::close);
        compiled.clear();
    }
}
