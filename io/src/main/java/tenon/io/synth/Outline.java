package tenon.io.synth;

import java.util.Locale;

/** Shapes that a thing can have, as curves in polar coordinates around its centre; the farthest point lies about 1 away. */
enum Outline {
    DISC {
        @Override
        double radius(double angle) {
            return 0.9;
        }
    },
    SQUARE {
        @Override
        double radius(double angle) {
            return polygon(angle, 4);
        }
    },
    TRIANGLE {
        @Override
        double radius(double angle) {
            return 1.1 * polygon(angle, 3);
        }
    },
    STAR {
        @Override
        double radius(double angle) {
            // A straight edge from each point (radius 1.1) to the notch beside it (radius 0.45).
            double half = Math.PI / 5;
            double a = half - Math.abs(StrictMath.IEEEremainder(angle, 2 * half));
            double point = 1.1;
            double notch = 0.45;
            return point
                    * notch
                    * StrictMath.sin(half)
                    / (notch * StrictMath.sin(half - a) + point * StrictMath.sin(a));
        }
    },
    CROSS {
        @Override
        double radius(double angle) {
            double arm = 0.33;
            double a = Math.abs(StrictMath.IEEEremainder(angle, Math.PI / 2));
            return Math.min(0.95 / StrictMath.cos(a), arm / Math.max(1e-6, StrictMath.sin(a)));
        }
    },
    FLOWER {
        @Override
        double radius(double angle) {
            return 0.78 + 0.25 * StrictMath.cos(6 * angle);
        }
    },
    RING {
        @Override
        double radius(double angle) {
            return 0.95;
        }
    },
    EGG {
        @Override
        double radius(double angle) {
            return 0.45 / Math.sqrt(1 - 0.8 * StrictMath.pow(StrictMath.cos(angle), 2));
        }
    };

    private static final int STEPS = 1024;
    private static final float TURN = (float) (2 * Math.PI);

    private final float[] radii = new float[STEPS];

    Outline() {
        for (int i = 0; i < STEPS; i++) {
            radii[i] = (float) radius(2 * Math.PI * i / STEPS);
        }
    }

    abstract double radius(double angle);

    private static double polygon(double angle, int corners) {
        double half = Math.PI / corners;
        return StrictMath.cos(half) / StrictMath.cos(half - Math.abs(StrictMath.IEEEremainder(angle, 2 * half)));
    }

    /** How far (u, v), at distance r from the centre, lies outside the shape; negative inside. */
    float outside(float u, float v, float r) {
        float d = r - radii[(int) (angle(u, v) / TURN * STEPS) & (STEPS - 1)];
        return this == RING ? Math.max(d, 0.5f - r) : d;
    }

    /** The angle of (u, v) to 0.0003 by the usual odd polynomial for atan on [0, 1]. */
    private static float angle(float u, float v) {
        float x = Math.abs(u);
        float y = Math.abs(v);
        float t = Math.min(x, y) / Math.max(Math.max(x, y), 1e-9f);
        float s = t * t;
        float a = ((-0.0464964749f * s + 0.15931422f) * s - 0.327622764f) * s * t + t;
        if (y > x) {
            a = TURN / 4 - a;
        }
        if (u < 0) {
            a = TURN / 2 - a;
        }
        return v < 0 ? TURN - a : a;
    }

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
