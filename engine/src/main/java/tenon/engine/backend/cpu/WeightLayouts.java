package tenon.engine.backend.cpu;

import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_FROM;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_TO;
import static org.bytedeco.dnnl.global.dnnl.dnnl_memory_desc_clone;
import static org.bytedeco.dnnl.global.dnnl.dnnl_memory_desc_destroy;
import static org.bytedeco.dnnl.global.dnnl.dnnl_memory_desc_equal;
import static org.bytedeco.dnnl.global.dnnl.dnnl_memory_desc_get_size;
import static org.bytedeco.dnnl.global.dnnl.dnnl_reorder_primitive_desc_create;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.dnnl.dnnl_memory_desc;
import org.bytedeco.dnnl.dnnl_primitive_desc;
import tenon.engine.DType;

/**
 * All layouts of weights that any primitive asked for, and the conversions between them. Plain weights would send oneDNN's convolutions to its
 * reference loops. Guarded by the monitor of {@link Dnnl}.
 */
final class WeightLayouts implements AutoCloseable {
    private record Conversion(WeightLayout from, WeightLayout to) {}

    /** Elements of a weight that all threads together update before they make its copies: 6 MiB with the BF16 copy, in the cores' own caches or the last. */
    private static final long CACHED = 1 << 20;

    private final CpuBackend backend;
    private final Map<WeightGeometry, List<WeightLayout>> layouts = new HashMap<>();
    private final Map<Conversion, BlockCopy> blockCopies = new HashMap<>();
    private final PrimitiveCache.Compiler<Conversion> compiler = this::compile;

    WeightLayouts(CpuBackend backend) {
        this.backend = backend;
    }

    /** The row-major F32 layout. */
    WeightLayout plain(WeightGeometry geometry) {
        return of(geometry).getFirst();
    }

    /** The layout of that descriptor, which the caller keeps. */
    WeightLayout of(WeightGeometry geometry, DType dtype, dnnl_memory_desc descriptor) {
        List<WeightLayout> known = of(geometry);
        for (WeightLayout layout : known) {
            if (dnnl_memory_desc_equal(layout.descriptor(), descriptor) != 0) {
                return layout;
            }
        }
        try (Build build = new Build(backend.dnnl, "weight", geometry)) {
            dnnl_memory_desc plain = build.strided(dtype, geometry.dims(), geometry.plainStrides());
            boolean rowMajor = dnnl_memory_desc_equal(plain, descriptor) != 0;
            WeightLayout layout = create(geometry, dtype, descriptor, rowMajor, dtype + " " + known.size());
            known.add(layout);
            return layout;
        }
    }

    private List<WeightLayout> of(WeightGeometry geometry) {
        List<WeightLayout> known = layouts.get(geometry);
        if (known == null) {
            known = new ArrayList<>(4);
            try (Build build = new Build(backend.dnnl, "weight", geometry)) {
                dnnl_memory_desc plain = build.strided(DType.F32, geometry.dims(), geometry.plainStrides());
                known.add(create(geometry, DType.F32, plain, true, "plain"));
            }
            layouts.put(geometry, known);
        }
        return known;
    }

    private WeightLayout create(
            WeightGeometry geometry, DType dtype, dnnl_memory_desc descriptor, boolean rowMajor, String name) {
        dnnl_memory_desc own = new dnnl_memory_desc();
        Dnnl.check(dnnl_memory_desc_clone(own, descriptor), "dnnl_memory_desc_clone", geometry);
        backend.dnnl.descriptors++;
        return new WeightLayout(geometry, dtype, own, dnnl_memory_desc_get_size(own), rowMajor, name);
    }

    /** Converts the weight at {@code source} into another layout at {@code target}. */
    void convert(WeightLayout from, long source, WeightLayout to, long target) {
        backend.cache
                .get(new Conversion(from, to), compiler)
                .primitive()
                .bind(0, source)
                .bind(1, target)
                .run();
    }

    /** The copy by blocks from one layout to another, or null. */
    BlockCopy blockCopy(WeightLayout from, WeightLayout to) {
        Conversion key = new Conversion(from, to);
        if (!blockCopies.containsKey(key)) {
            blockCopies.put(key, BlockCopy.of(from, to, CACHED / backend.parallel.threads()));
        }
        return blockCopies.get(key);
    }

    private Compiled compile(Conversion key) {
        try (Build build = new Build(backend.dnnl, "weight reorder", key)) {
            dnnl_primitive_desc descriptor = new dnnl_primitive_desc();
            build.created(
                    dnnl_reorder_primitive_desc_create(
                            descriptor,
                            key.from.descriptor(),
                            backend.dnnl.engine,
                            key.to.descriptor(),
                            backend.dnnl.engine,
                            build.attributes()),
                    "dnnl_reorder_primitive_desc_create",
                    descriptor);
            return new Compiled(build.executable(descriptor, DNNL_ARG_FROM, DNNL_ARG_TO));
        }
    }

    @Override
    public void close() {
        for (List<WeightLayout> known : layouts.values()) {
            for (WeightLayout layout : known) {
                Dnnl.check(dnnl_memory_desc_destroy(layout.descriptor()), "dnnl_memory_desc_destroy", layout);
            }
        }
        layouts.clear();
    }
}
