package tenon.engine.backend.cpu;

/**
 * Where the elements of a window of up to 3 x 3 lie and which positions they have: distances in elements from the window's first, and positions in its rows
 * and columns. Rows and columns that the window lacks, or that lie outside of the image, repeat the last one.
 */
record MaxWindow(
        long down1,
        long down2,
        long right1,
        long right2,
        int row0,
        int row1,
        int row2,
        int column0,
        int column1,
        int column2) {
    /** The window of output pixel (y, x). */
    static MaxWindow of(PoolGeometry g, int y, int x) {
        int i = g.firstRow(y);
        int j = g.firstColumn(x);
        int i1 = Math.min(i + 1, g.endRow(y) - 1);
        int i2 = Math.min(i + 2, g.endRow(y) - 1);
        int j1 = Math.min(j + 1, g.endColumn(x) - 1);
        int j2 = Math.min(j + 2, g.endColumn(x) - 1);
        long line = (long) g.w() * g.c();
        return new MaxWindow(
                (i1 - i) * line,
                (i2 - i) * line,
                (long) (j1 - j) * g.c(),
                (long) (j2 - j) * g.c(),
                i * g.kernelW(),
                i1 * g.kernelW(),
                i2 * g.kernelW(),
                j,
                j1,
                j2);
    }
}
