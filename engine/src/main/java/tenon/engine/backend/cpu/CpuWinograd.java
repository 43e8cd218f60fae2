package tenon.engine.backend.cpu;

import static org.bytedeco.dnnl.global.dnnl.*;

import java.lang.foreign.MemorySegment;
import org.bytedeco.dnnl.dnnl_memory_desc;
import org.bytedeco.dnnl.dnnl_primitive_desc;
import tenon.engine.DType;
import tenon.engine.Shape;
import tenon.engine.Tensor;
import tenon.engine.memory.Allocator;
import tenon.engine.nativelib.DnnlInfo;
import tenon.engine.ops.Activation;
import tenon.engine.ops.ConvSpec;

/**
 * 3×3 and 5×5 convolutions of stride 1 by Winograd's minimal filtering: transformed tiles and weights are multiplied plane by plane (oneDNN's batched
 * matrix product), which takes a quarter (3×3) or 36 % (5×5) of a direct convolution's multiplications. It goes through the image in blocks whose
 * transformed tiles stay in the last-level cache. Arithmetic is F32 whatever the images' dtype.
 *
 * <p>Its rounding errors are some ten times a direct convolution's, relative to the largest values of a tile; an infinity or NaN reaches all outputs of its
 * tiles.
 */
final class CpuWinograd implements AutoCloseable {
    private enum Product {
        /** [tiles, c] · [k, c]ᵀ. */
        FORWARD,
        /** [tiles, k] · [k, c]. */
        BACKWARD_INPUT,
        /** [tiles, k]ᵀ · [tiles, c]. */
        BACKWARD_WEIGHT,
        /** The same, added to what is there. */
        BACKWARD_WEIGHT_ADDED
    }

    /** Twice, and more where the transforms are a large part: with 64 channels they take as long as oneDNN's whole convolution. */
    private static final double AVX512_BF16_RATE = 2.75;

    private static final double AMX_RATE = 8;

    /** Of the matrix products; {@code c} and {@code k} are those of the convolution. */
    private record Key(Product product, int tiles, int c, int k) {}

    private final CpuBackend backend;
    private final Scratch inputs;
    private final Scratch outputs;
    private final Scratch weights;
    private final Scratch temporaries;
    private final PrimitiveCache.Compiler<Key> compiler = this::compile;
    private final int threads;
    /** How many times as fast as in F32 oneDNN convolves in BF16. */
    private final double bf16Rate;

    /** Null where the Vector API is missing or {@code -Dtenon.winograd=false} asks for direct convolutions only. */
    static CpuWinograd open(CpuBackend backend, Allocator allocator, int threads) {
        boolean wanted = !"false".equals(System.getProperty("tenon.winograd"));
        return wanted && VectorApi.isUsed() ? new CpuWinograd(backend, allocator, threads) : null;
    }

    private CpuWinograd(CpuBackend backend, Allocator allocator, int threads) {
        this.backend = backend;
        inputs = new Scratch(allocator);
        outputs = new Scratch(allocator);
        weights = new Scratch(allocator);
        temporaries = new Scratch(allocator);
        this.threads = threads;
        bf16Rate = DnnlInfo.hasAmx() ? AMX_RATE : AVX512_BF16_RATE;
    }

    /**
     * The tiles of a convolution for which this is the fastest way, or null. One geometry decides for all three passes, so that a weight and its
     * gradient keep one layout.
     */
    WinogradTile tile(ConvSpec spec, Tensor input, Shape weight, Tensor output) {
        WinogradTile tile = WinogradTile.forward(spec, input.shape(), weight, output.shape(), WinogradKernels.LANES);
        return tile != null && tile.pays(input.dtype() == DType.BF16 ? bf16Rate : 1) ? tile : null;
    }

    /** @param bias [K], or null */
    void forward(WinogradTile tile, Tensor input, Tensor weight, Tensor bias, Activation activation, Tensor output) {
        transformWeights(tile, plain(weight), false);
        boolean relu = activation.kind() == Activation.Kind.RELU;
        convolve(Product.FORWARD, tile, input, bias, relu, output, false);
        if (!relu && activation.kind() != Activation.Kind.NONE) {
            backend.activation().forward(activation, output, output);
        }
    }

    /** @param tile of the forward convolution */
    void backwardInput(WinogradTile tile, Tensor gradOutput, Tensor weight, Tensor gradInput, boolean add) {
        transformWeights(tile, plain(weight), true);
        convolve(Product.BACKWARD_INPUT, tile.backward(), gradOutput, null, false, gradInput, add);
    }

    /** Without disturbing copies that other primitives keep of it, where that is possible. */
    private static MemorySegment plain(Tensor weight) {
        MemorySegment readable = weight.readableSegment();
        return readable != null ? readable : weight.segment();
    }

    /** [K, r, r, C] to planes of [K, C]. */
    private void transformWeights(WinogradTile tile, MemorySegment weight, boolean flip) {
        long plane = (long) tile.k() * tile.c();
        MemorySegment transformed = weights.segment(4 * WinogradTile.PLANES * plane);
        int filter = tile.r() * tile.r() * tile.c();
        long own = WinogradKernels.temporary(tile.m(), 1, tile.c());
        MemorySegment memory = temporaries.segment(4 * own * threads);
        eachPart(tile.k(), (part, from, to) -> {
            for (int k = from; k < to; k++) {
                WinogradKernels.weight(
                        tile.r(),
                        flip,
                        weight,
                        (long) k * filter,
                        tile.c(),
                        transformed,
                        (long) k * tile.c(),
                        plane,
                        memory,
                        part * own);
            }
        });
    }

    private void convolve(
            Product product, WinogradTile tile, Tensor input, Tensor bias, boolean relu, Tensor output, boolean add) {
        int block = tile.block();
        MemorySegment v = inputs.segment(4 * WinogradTile.PLANES * WinogradTile.plane(block, tile.c()));
        MemorySegment m = outputs.segment(4 * WinogradTile.PLANES * WinogradTile.plane(block, tile.k()));
        MemorySegment shift = bias == null ? null : bias.segment();
        for (int first = 0; first < tile.tiles(); first += block) {
            int count = Math.min(block, tile.tiles() - first);
            transformInputs(tile, input, first, count, v);
            product(
                    product,
                    count,
                    product == Product.FORWARD ? tile.c() : tile.k(),
                    product == Product.FORWARD ? tile.k() : tile.c(),
                    v,
                    weights.segment(0),
                    m);
            transformOutputs(tile, m, shift, relu, add, output, first, count);
        }
    }

    /** Overwrites gradWeight. */
    void backwardWeight(WinogradTile tile, Tensor input, Tensor gradOutput, Tensor gradWeight) {
        int block = tile.block();
        long plane = (long) tile.k() * tile.c();
        MemorySegment v = inputs.segment(4 * WinogradTile.PLANES * WinogradTile.plane(block, tile.c()));
        MemorySegment m = outputs.segment(4 * WinogradTile.PLANES * WinogradTile.plane(block, tile.k()));
        MemorySegment u = weights.segment(4 * WinogradTile.PLANES * plane);
        for (int first = 0; first < tile.tiles(); first += block) {
            int count = Math.min(block, tile.tiles() - first);
            transformInputs(tile, input, first, count, v);
            transformGradOutputs(tile, gradOutput, first, count, m);
            product(
                    first == 0 ? Product.BACKWARD_WEIGHT : Product.BACKWARD_WEIGHT_ADDED,
                    count,
                    tile.c(),
                    tile.k(),
                    m,
                    v,
                    u);
        }
        MemorySegment to = gradWeight.segment();
        int filter = tile.r() * tile.r() * tile.c();
        long own = WinogradKernels.temporary(tile.m(), 1, tile.c());
        MemorySegment memory = temporaries.segment(4 * own * threads);
        eachPart(tile.k(), (part, from, end) -> {
            for (int k = from; k < end; k++) {
                WinogradKernels.gradWeight(
                        tile.r(), u, (long) k * tile.c(), plane, tile.c(), to, (long) k * filter, memory, part * own);
            }
        });
    }

    // ---- tiles ----

    private void transformInputs(WinogradTile tile, Tensor input, int first, int count, MemorySegment v) {
        boolean bf16 = input.dtype() == DType.BF16;
        MemorySegment in = input.segment();
        int m = tile.m();
        int c = tile.c();
        long row = (long) tile.w() * c;
        long plane = WinogradTile.plane(count, c);
        eachStrip(tile, c, first, count, (walk, strip, t, memory, own, spare) -> {
            int y = walk.row * m - tile.top();
            int x = walk.column * m - tile.left();
            int left = Math.max(0, -x);
            int valid = Math.max(0, Math.min(tile.w() - x, WinogradKernels.width(m, strip)) - left);
            long from = ((long) walk.image * tile.h() + y) * row + (long) (x + left) * c;
            boolean direct = !bf16 && y >= 0 && y + WinogradTile.SIDE <= tile.h();
            if (!direct) {
                copyRows(in, bf16, from, row, y, tile.h(), WinogradTile.SIDE, valid * c, memory, spare);
            }
            WinogradKernels.input(
                    m,
                    strip,
                    direct ? in : memory,
                    direct ? from : spare,
                    direct ? row : (long) valid * c,
                    left,
                    valid,
                    c,
                    v,
                    (long) t * c,
                    plane,
                    memory,
                    own);
        });
    }

    private void transformGradOutputs(WinogradTile tile, Tensor gradOutput, int first, int count, MemorySegment out) {
        boolean bf16 = gradOutput.dtype() == DType.BF16;
        MemorySegment in = gradOutput.segment();
        int m = tile.m();
        int k = tile.k();
        long row = (long) tile.q() * k;
        long plane = WinogradTile.plane(count, k);
        eachStrip(tile, k, first, count, (walk, strip, t, memory, own, spare) -> {
            int y = walk.row * m;
            int x = walk.column * m;
            int valid = Math.min(tile.q() - x, m * strip);
            long from = ((long) walk.image * tile.p() + y) * row + (long) x * k;
            boolean direct = !bf16 && y + m <= tile.p();
            if (!direct) {
                copyRows(in, bf16, from, row, y, tile.p(), m, valid * k, memory, spare);
            }
            WinogradKernels.gradOutput(
                    m,
                    strip,
                    direct ? in : memory,
                    direct ? from : spare,
                    direct ? row : (long) valid * k,
                    valid,
                    k,
                    out,
                    (long) t * k,
                    plane,
                    memory,
                    own);
        });
    }

    private void transformOutputs(
            WinogradTile tile,
            MemorySegment products,
            MemorySegment bias,
            boolean relu,
            boolean add,
            Tensor output,
            int first,
            int count) {
        boolean bf16 = output.dtype() == DType.BF16;
        MemorySegment out = output.segment();
        int m = tile.m();
        int k = tile.k();
        long row = (long) tile.q() * k;
        long plane = WinogradTile.plane(count, k);
        eachStrip(tile, k, first, count, (walk, strip, t, memory, own, _) -> {
            int y = walk.row * m;
            int x = walk.column * m;
            WinogradKernels.output(
                    m,
                    strip,
                    products,
                    (long) t * k,
                    plane,
                    k,
                    bias,
                    relu,
                    add,
                    out,
                    bf16,
                    ((long) walk.image * tile.p() + y) * row + (long) x * k,
                    row,
                    Math.min(m, tile.p() - y),
                    Math.min(m * strip, tile.q() - x),
                    memory,
                    own);
        });
    }

    /** Copies the rows y… of a strip to F32, one after the other, with zeros for those outside [0, height). */
    private static void copyRows(
            MemorySegment in,
            boolean bf16,
            long from,
            long row,
            int y,
            int height,
            int rows,
            int floats,
            MemorySegment out,
            long to) {
        for (int i = 0; i < rows; i++) {
            if (y + i >= 0 && y + i < height) {
                WinogradKernels.widen(in, bf16, from + i * row, out, to + (long) i * floats, floats);
            } else {
                WinogradKernels.zero(out, to + (long) i * floats, floats);
            }
        }
    }

    /** Neighbouring tiles of one row of tiles, the {@code t}-th of a block and on; {@code own} and {@code spare} index temporary memory. */
    @FunctionalInterface
    private interface Strip {
        void run(TileWalk walk, int tiles, int t, MemorySegment memory, long own, long spare);
    }

    private void eachStrip(WinogradTile tile, int channels, int first, int count, Strip strip) {
        int longest = tile.strip(channels);
        long own = WinogradKernels.temporary(tile.m(), longest, channels);
        MemorySegment memory = temporaries.segment(8 * own * threads);
        eachPart(count, (part, from, to) -> {
            TileWalk walk = new TileWalk(tile, first + from);
            int t = from;
            while (t < to) {
                int tiles = Math.min(Math.min(longest, to - t), walk.left());
                strip.run(walk, tiles, t, memory, part * own, (threads + part) * own);
                walk.skip(tiles);
                t += tiles;
            }
        });
    }

    /** Image, tile row and tile column of consecutive tiles. */
    private static final class TileWalk {
        private final int down;
        private final int across;
        int image;
        int row;
        int column;

        TileWalk(WinogradTile tile, int index) {
            down = tile.down();
            across = tile.across();
            image = index / (down * across);
            row = index / across % down;
            column = index % across;
        }

        /** Tiles up to the end of the row. */
        int left() {
            return across - column;
        }

        /** Goes on by at most {@link #left} tiles. */
        void skip(int tiles) {
            column += tiles;
            if (column == across) {
                column = 0;
                if (++row == down) {
                    row = 0;
                    image++;
                }
            }
        }
    }

    @FunctionalInterface
    private interface Slice {
        void run(int part, int from, int to);
    }

    private void eachPart(int count, Slice slice) {
        int parts = Math.min(threads, count);
        backend.parallel.parts(
                parts,
                part -> slice.run(
                        part, (int) ((long) count * part / parts), (int) ((long) count * (part + 1) / parts)));
    }

    // ---- matrix products ----

    private void product(
            Product product, int tiles, int c, int k, MemorySegment left, MemorySegment right, MemorySegment out) {
        backend.cache
                .get(new Key(product, tiles, c, k), compiler)
                .primitive()
                .bind(0, left.address())
                .bind(1, right.address())
                .bind(2, out.address())
                .run();
    }

    private Compiled compile(Key key) {
        try (Build build = new Build(backend.dnnl, "conv2d winograd", key)) {
            int c = key.c;
            int k = key.k;
            dnnl_memory_desc left;
            dnnl_memory_desc right;
            dnnl_memory_desc out;
            switch (key.product) {
                case FORWARD -> {
                    left = matrix(build, key.tiles, c, WinogradTile.plane(key.tiles, c), false);
                    right = matrix(build, k, c, (long) k * c, true);
                    out = matrix(build, key.tiles, k, WinogradTile.plane(key.tiles, k), false);
                }
                case BACKWARD_INPUT -> {
                    left = matrix(build, key.tiles, k, WinogradTile.plane(key.tiles, k), false);
                    right = matrix(build, k, c, (long) k * c, false);
                    out = matrix(build, key.tiles, c, WinogradTile.plane(key.tiles, c), false);
                }
                default -> {
                    left = matrix(build, key.tiles, k, WinogradTile.plane(key.tiles, k), true);
                    right = matrix(build, key.tiles, c, WinogradTile.plane(key.tiles, c), false);
                    out = matrix(build, k, c, (long) k * c, false);
                }
            }
            dnnl_primitive_desc descriptor = new dnnl_primitive_desc();
            build.created(
                    dnnl_matmul_primitive_desc_create(
                            descriptor,
                            backend.dnnl.engine,
                            left,
                            right,
                            null,
                            out,
                            key.product == Product.BACKWARD_WEIGHT_ADDED ? build.accumulating() : build.attributes()),
                    "dnnl_matmul_primitive_desc_create",
                    descriptor);
            return new Compiled(build.executable(descriptor, DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DST));
        }
    }

    /** All planes of a row-major matrix [rows, columns], or of its transpose. */
    private static dnnl_memory_desc matrix(Build build, long rows, long columns, long plane, boolean transposed) {
        return transposed
                ? build.strided(
                        DType.F32, new long[] {WinogradTile.PLANES, columns, rows}, new long[] {plane, 1, columns})
                : build.strided(
                        DType.F32, new long[] {WinogradTile.PLANES, rows, columns}, new long[] {plane, columns, 1});
    }

    @Override
    public void close() {
        inputs.close();
        outputs.close();
        weights.close();
        temporaries.close();
    }
}
