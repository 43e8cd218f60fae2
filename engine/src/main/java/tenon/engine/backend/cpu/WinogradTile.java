package tenon.engine.backend.cpu;

import tenon.engine.Shape;
import tenon.engine.ops.ConvSpec;
import tenon.engine.ops.Padding;

/**
 * A convolution cut into Winograd tiles: [n, h, w, c] → [n, p, q, k] with stride 1 and an r×r kernel, each tile giving m×m outputs from 6×6 inputs,
 * m = 7 − r. A tile that hangs over the edge sees zeros and drops what it computes there.
 *
 * @param top rows of padding above the input
 * @param left columns of padding
 */
record WinogradTile(int r, int n, int h, int w, int c, int p, int q, int k, int top, int left) {
    /** Side of a transformed tile. */
    static final int SIDE = 6;
    /** Matrix products per convolution: one per element of a transformed tile. */
    static final int PLANES = SIDE * SIDE;

    /** Tiles of one block, inputs and outputs together, should stay in the last-level cache. */
    private static final long BLOCK_BYTES = 9L << 20;

    private static final int STRIP_FLOATS = 8 << 10;
    private static final int FEWEST_TILES = 128;
    /** Multiply-adds in the time that a float of a transformed tile takes. */
    private static final double TILE_COST = 30;
    /** The same for a float of the transformed weights. */
    private static final double WEIGHT_COST = 25;
    /** Floats between the planes beyond their size: planes a power of two apart would share cache sets. */
    private static final int SKEW = 80;

    /** Null where the algorithm does not apply. */
    static WinogradTile forward(ConvSpec spec, Shape input, Shape weight, Shape output, int lanes) {
        int r = weight.dim(1);
        Padding padding = spec.padding();
        boolean plain = spec.strideH() * spec.strideW() * spec.dilationH() * spec.dilationW() * spec.groups() == 1;
        boolean kernel = (r == 3 || r == 5) && weight.dim(2) == r;
        if (!plain || !kernel || padding.top() >= r || padding.left() >= r) {
            return null;
        }
        int c = input.dim(3);
        int k = output.dim(3);
        if (c % lanes != 0 || k % lanes != 0) {
            return null;
        }
        return new WinogradTile(
                r,
                input.dim(0),
                input.dim(1),
                input.dim(2),
                c,
                output.dim(1),
                output.dim(2),
                k,
                padding.top(),
                padding.left());
    }

    /** The convolution of the output's gradient that gives the input's. */
    WinogradTile backward() {
        return new WinogradTile(r, n, p, q, k, h, w, c, r - 1 - top, r - 1 - left);
    }

    /** Side of a tile's outputs. */
    int m() {
        return SIDE + 1 - r;
    }

    int down() {
        return Math.ceilDiv(p, m());
    }

    int across() {
        return Math.ceilDiv(q, m());
    }

    int tiles() {
        return n * down() * across();
    }

    /** Tiles that are transformed and multiplied together. */
    int block() {
        long fitting = BLOCK_BYTES / (4L * PLANES * (c + k));
        return (int) Math.min(tiles(), Math.max(FEWEST_TILES, fitting / 64 * 64));
    }

    /** Neighbouring tiles that are transformed together: their transformed columns should stay in the first-level cache. */
    int strip(int channels) {
        int fitting = (STRIP_FLOATS / (SIDE * channels) - SIDE) / m() + 1;
        return Math.clamp(fitting, 1, across());
    }

    /** Floats from one plane to the next of {@code tiles} transformed tiles with {@code channels} each. */
    static long plane(int tiles, int channels) {
        return (long) tiles * channels + SKEW;
    }

    /**
     * Whether it should beat a direct convolution: multiplications at the same rate, plus the traffic of the transforms. Both sides are estimates in
     * multiply-adds of F32; the constants are measured, and shapes alone decide, so that equal runs compute equal bits.
     *
     * @param directRate how many times as fast as F32 the direct convolution multiplies in the image's dtype
     */
    boolean pays(double directRate) {
        double direct = (double) n * p * q * r * r * c * k / directRate;
        double products = (double) tiles() * PLANES * c * k;
        double tileTraffic = (double) tiles() * PLANES * (c + k);
        double weightTraffic = (double) PLANES * c * k;
        return products + TILE_COST * tileTraffic + WEIGHT_COST * weightTraffic < 0.95 * direct;
    }
}
