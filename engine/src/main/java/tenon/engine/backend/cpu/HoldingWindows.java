package tenon.engine.backend.cpu;

/**
 * The windows that hold an element, up to 3 x 3: where their output pixels lie, as distances in elements from the first, and which position the element has
 * in them, in rows and columns. Rows and columns of windows that do not exist have a position that no winner has.
 */
record HoldingWindows(
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
    private static final int NONE = -1000;

    /** The windows that hold input pixel (i, j). */
    static HoldingWindows of(PoolGeometry g, int i, int j) {
        int y = g.firstWindowRow(i);
        int x = g.firstWindowColumn(j);
        int rows = g.endWindowRow(i) - y;
        int columns = g.endWindowColumn(j) - x;
        int row = (i + g.top() - y * g.strideH()) * g.kernelW();
        int column = j + g.left() - x * g.strideW();
        int down = g.strideH() * g.kernelW();
        long line = (long) g.q() * g.c();
        return new HoldingWindows(
                rows > 1 ? line : 0,
                rows > 2 ? 2 * line : 0,
                columns > 1 ? g.c() : 0,
                columns > 2 ? 2L * g.c() : 0,
                rows > 0 ? row : NONE,
                rows > 1 ? row - down : NONE,
                rows > 2 ? row - 2 * down : NONE,
                columns > 0 ? column : NONE,
                columns > 1 ? column - g.strideW() : NONE,
                columns > 2 ? column - 2 * g.strideW() : NONE);
    }

    /** Whether they are a single one, or none. */
    boolean isOne() {
        return row1 == NONE && column1 == NONE;
    }

    /** Whether they are at most two, next to each other or one below the other. */
    boolean areTwo() {
        return row1 == NONE && column2 == NONE || column1 == NONE && row2 == NONE;
    }

    boolean areFour() {
        return row2 == NONE && column2 == NONE;
    }
}
