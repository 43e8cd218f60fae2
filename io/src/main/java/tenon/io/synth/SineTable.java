package tenon.io.synth;

/** Sine of an angle in turns, to a thousandth of a turn: the same bits on every processor, which {@link Math#sin} does not promise. */
final class SineTable {
    private static final int SIZE = 1024;
    private static final float[] VALUES = new float[SIZE];

    static {
        for (int i = 0; i < SIZE; i++) {
            VALUES[i] = (float) StrictMath.sin(2 * Math.PI * i / SIZE);
        }
    }

    private SineTable() {}

    static float sin(float turns) {
        return VALUES[(int) (turns * SIZE) & (SIZE - 1)];
    }

    static float cos(float turns) {
        return sin(turns + 0.25f);
    }
}
