package tenon.engine.backend.cpu;

/** For each pixel of a row to write, which pixels it reads of a row: found once, because that takes divisions. */
final class PoolColumns {
    private final int[] from;
    private final int[] count;
    private final int[] position;

    private PoolColumns(int size) {
        from = new int[size];
        count = new int[size];
        position = new int[size];
    }

    /** The elements in the windows of an output row. */
    static PoolColumns windows(PoolGeometry g) {
        PoolColumns columns = new PoolColumns(g.q());
        for (int x = 0; x < g.q(); x++) {
            int first = g.firstColumn(x);
            columns.from[x] = x * g.strideW() - g.left() + first;
            columns.count[x] = g.endColumn(x) - first;
            columns.position[x] = first;
        }
        return columns;
    }

    /** The windows that hold the elements of an input row. */
    static PoolColumns elements(PoolGeometry g) {
        PoolColumns columns = new PoolColumns(g.w());
        for (int j = 0; j < g.w(); j++) {
            int first = g.firstWindowColumn(j);
            columns.from[j] = first;
            columns.count[j] = g.endWindowColumn(j) - first;
            columns.position[j] = j + g.left() - first * g.strideW();
        }
        return columns;
    }

    int size() {
        return from.length;
    }

    /** The first pixel that pixel {@code x} reads. */
    int from(int x) {
        return from[x];
    }

    /** How many it reads; none or less where no window holds it. */
    int count(int x) {
        return count[x];
    }

    /** Column of the window in which the element lies that is the first pixel read, or for which the first window is read. */
    int position(int x) {
        return position[x];
    }
}
