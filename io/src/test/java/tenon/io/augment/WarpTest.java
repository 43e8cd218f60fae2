package tenon.io.augment;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static tenon.io.augment.Images.CLOSE;
import static tenon.io.augment.Images.NINE;
import static tenon.io.augment.Images.apply;
import static tenon.io.augment.Images.noise;
import static tenon.io.augment.Images.rng;
import static tenon.io.augment.Images.values;

import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import tenon.engine.Rng;
import tenon.engine.ShapeException;

class WarpTest {
    private static float[] warp(FloatImage in, AffineMap map, Fill fill) {
        FloatImage out = new FloatImage();
        map.warp(in, out, fill);
        return values(out);
    }

    private static float[] warp(FloatImage in, RandomAffine.Draw draw) {
        return warp(in, draw.map(in.height(), in.width()), Fill.NEAREST);
    }

    @Test
    void identityChangesNothing() {
        assertThat(warp(NINE, RandomAffine.Draw.NOTHING)).isEqualTo(values(NINE));
    }

    @Test
    void aQuarterTurnMovesLeftToTop() {
        RandomAffine.Draw quarter = new RandomAffine.Draw(Math.PI / 2, 0, 0, 0, 1, 1, false);
        assertThat(warp(NINE, quarter)).containsExactly(new float[] {7, 4, 1, 8, 5, 2, 9, 6, 3}, CLOSE);
    }

    @Test
    void aShiftRepeatsTheEdge() {
        RandomAffine.Draw left = new RandomAffine.Draw(0, 1 / 3.0, 0, 0, 1, 1, false);
        assertThat(warp(NINE, left)).containsExactly(new float[] {2, 3, 3, 5, 6, 6, 8, 9, 9}, CLOSE);
        RandomAffine.Draw halfDown = new RandomAffine.Draw(0, 0, -0.5 / 3, 0, 1, 1, false);
        assertThat(warp(NINE, halfDown))
                .containsExactly(new float[] {1, 2, 3, 2.5f, 3.5f, 4.5f, 5.5f, 6.5f, 7.5f}, CLOSE);
    }

    @Test
    void aFlipMirrorsBeforeTheRest() {
        RandomAffine.Draw flip = new RandomAffine.Draw(0, 0, 0, 0, 1, 1, true);
        assertThat(warp(NINE, flip)).containsExactly(new float[] {3, 2, 1, 6, 5, 4, 9, 8, 7}, CLOSE);
    }

    @Test
    void zoomAndShearActAboutTheCentre() {
        RandomAffine.Draw enlarge = new RandomAffine.Draw(0, 0, 0, 0, 0.5, 1, false);
        assertThat(warp(NINE, enlarge))
                .containsExactly(new float[] {1.5f, 2, 2.5f, 4.5f, 5, 5.5f, 7.5f, 8, 8.5f}, CLOSE);
        // Rows move by −sin·x, columns shrink by cos: output (y, x) from the centre reads input (y − x/2, 0.866 x).
        RandomAffine.Draw shear = new RandomAffine.Draw(0, 0, 0, Math.PI / 6, 1, 1, false);
        float[] out = warp(NINE, shear);
        float dx = (float) Math.cos(Math.PI / 6);
        assertThat(out[4]).isCloseTo(5, CLOSE);
        assertThat(out[5]).isCloseTo(5 - 0.5f * 3 + dx, CLOSE);
        assertThat(out[3]).isCloseTo(5 + 0.5f * 3 - dx, CLOSE);
    }

    @Test
    void drawsKeepToTheirRangesAndFlipHalfOfTheTime() {
        RandomAffine affine = RandomAffine.NOTHING
                .rotation(30)
                .shift(0.1)
                .shear(0.2)
                .zoom(0.2)
                .flip(0.5);
        Rng rng = rng(11);
        double[] low = {9, 9, 9, 9, 9, 9};
        double[] high = {-9, -9, -9, -9, -9, -9};
        int flips = 0;
        int count = 4000;
        int zoomsAgree = 0;
        for (int i = 0; i < count; i++) {
            RandomAffine.Draw draw = affine.draw(rng);
            double[] drawn = {draw.rotation(), draw.shiftX(), draw.shiftY(), draw.shear(), draw.zoomX(), draw.zoomY()};
            for (int k = 0; k < 6; k++) {
                low[k] = Math.min(low[k], drawn[k]);
                high[k] = Math.max(high[k], drawn[k]);
            }
            flips += draw.flip() ? 1 : 0;
            zoomsAgree += draw.zoomX() > 1 == draw.zoomY() > 1 ? 1 : 0;
        }
        double[] smallest = {-Math.PI / 6, -0.1, -0.1, -0.2, 0.8, 0.8};
        double[] largest = {Math.PI / 6, 0.1, 0.1, 0.2, 1.2, 1.2};
        for (int k = 0; k < 6; k++) {
            double slack = (largest[k] - smallest[k]) * 0.01;
            assertThat(low[k]).isBetween(smallest[k], smallest[k] + slack);
            assertThat(high[k]).isBetween(largest[k] - slack, largest[k]);
        }
        assertThat(flips).isBetween(1850, 2150);
        assertThat(zoomsAgree).isBetween(1850, 2150);
    }

    @Test
    void aConstantImageStaysConstantAndValuesStayInRange() {
        RandomAffine affine = RandomAffine.NOTHING
                .rotation(30)
                .shift(0.1)
                .shear(0.2)
                .zoom(0.2)
                .flip(0.5);
        FloatImage constant = new FloatImage().resize(9, 7, 3);
        Arrays.fill(constant.values(), 0, constant.size(), 77);
        Rng rng = rng(13);
        FloatImage noise = noise(9, 7, 3, rng);
        for (int i = 0; i < 500; i++) {
            for (float value : apply(affine, constant, rng)) {
                assertThat(value).isEqualTo(77);
            }
            for (float value : apply(affine, noise, rng)) {
                assertThat(value).isBetween(0f, 255f);
            }
        }
    }

    @Test
    void theSamePositionGivesTheSameImage() {
        RandomAffine affine = RandomAffine.NOTHING
                .rotation(30)
                .shift(0.1)
                .shear(0.2)
                .zoom(0.2)
                .flip(0.5);
        Rng rng = rng(1);
        rng.position(1000);
        float[] first = apply(affine, NINE, rng);
        assertThat(apply(affine, NINE, rng)).isNotEqualTo(first);
        rng.position(1000);
        assertThat(apply(affine, NINE, rng)).isEqualTo(first);
    }

    @Test
    void eachPartAloneIsAnAugmenter() {
        RandomAffine nothing = RandomAffine.NOTHING;
        assertThat(apply(nothing, NINE, rng(1))).isEqualTo(values(NINE));
        assertThat(nothing.rotation(5).draw(rng(1)).rotation()).isNotZero();
        assertThat(nothing.shift(0.1).draw(rng(1)).shiftX()).isNotZero();
        assertThat(nothing.shift(0.1).draw(rng(1)).shiftY()).isNotZero();
        assertThat(nothing.shear(0.1).draw(rng(1)).shear()).isNotZero();
        assertThat(nothing.zoom(0.1).draw(rng(1)).zoomX()).isNotEqualTo(1);
        assertThat(apply(nothing.flip(1), NINE, rng(1))).containsExactly(3, 2, 1, 6, 5, 4, 9, 8, 7);
        // Two draws of one sequence differ only in what was asked for.
        RandomAffine.Draw all =
                nothing.rotation(5).shift(0.1).shear(0.1).zoom(0.1).draw(rng(1));
        assertThat(nothing.shear(0.1).draw(rng(1)).shear()).isEqualTo(all.shear());
    }

    @Test
    void whatLiesOutsideIsConstantNearestReflectedOrWrapped() {
        // The window begins five columns left of the row a b c, so it shows what lies two and more pixels outside.
        FloatImage row = FloatImage.of(1, 3, 1, 1, 2, 3);
        AffineMap left = new AffineMap(1, 0, -5, 0, 1, 0);
        assertThat(warp(row, left, Fill.constant(7))).containsExactly(7, 7, 7);
        assertThat(warp(row, left, Fill.NEAREST)).containsExactly(1, 1, 1);
        assertThat(warp(row, left, Fill.REFLECT)).containsExactly(2, 3, 3);
        assertThat(warp(row, left, Fill.WRAP)).containsExactly(2, 3, 1);
        AffineMap right = new AffineMap(1, 0, 3.5, 0, 1, 0);
        assertThat(warp(row, right, Fill.WHITE)).containsExactly(255, 255, 255);
        assertThat(warp(row, right, Fill.NEAREST)).containsExactly(3, 3, 3);
        assertThat(warp(row, right, Fill.REFLECT)).containsExactly(2.5f, 1.5f, 1);
        assertThat(warp(row, right, Fill.WRAP)).containsExactly(1.5f, 2.5f, 2);
        // Half a pixel outside, the constant counts half.
        assertThat(warp(row, new AffineMap(1, 0, -0.5, 0, 1, 0), Fill.constant(7)))
                .containsExactly(4, 1.5f, 2.5f);
    }

    @Test
    void everyMapFillAndSizeAgreesWithThePlainFormula() {
        Rng rng = rng(23);
        int[][] sizes = {{1, 1, 1}, {1, 6, 3}, {5, 1, 2}, {2, 2, 3}, {9, 7, 3}, {6, 11, 1}};
        for (int[] size : sizes) {
            for (Fill fill : List.of(Fill.constant(40), Fill.NEAREST, Fill.REFLECT, Fill.WRAP)) {
                for (int i = 0; i < 60; i++) {
                    FloatImage image = noise(size[0], size[1], size[2], rng);
                    // Whole, half and arbitrary slopes: rows along edges and through pixel centres are where ranges can
                    // be wrong by one.
                    double step = i % 3 == 0 ? 1 : i % 3 == 1 ? 0.5 : 0.0137;
                    AffineMap map = new AffineMap(
                            at(rng, 3, step),
                            at(rng, 3, step),
                            at(rng, 12, step),
                            at(rng, 3, step),
                            at(rng, 3, step),
                            at(rng, 12, step));
                    assertThat(warp(image, map, fill))
                            .as("%s %s", map, fill)
                            .containsExactly(plain(image, map, fill), Images.CLOSE);
                }
            }
        }
    }

    private static double at(Rng rng, double range, double step) {
        return Math.rint(rng.nextUniform(-range, range) / step) * step;
    }

    private static float[] plain(FloatImage in, AffineMap map, Fill fill) {
        float[] out = new float[in.size()];
        int o = 0;
        for (int y = 0; y < in.height(); y++) {
            for (int x = 0; x < in.width(); x++) {
                double u = map.xx() * x + map.xy() * y + map.x0();
                double v = map.yx() * x + map.yy() * y + map.y0();
                for (int c = 0; c < in.channels(); c++) {
                    double sum = 0;
                    for (int k = 0; k < 4; k++) {
                        int column = (int) Math.floor(u) + k % 2;
                        int row = (int) Math.floor(v) + k / 2;
                        sum += Math.max(0, 1 - Math.abs(u - column))
                                * Math.max(0, 1 - Math.abs(v - row))
                                * shown(in, fill, row, column, c);
                    }
                    out[o++] = (float) sum;
                }
            }
        }
        return out;
    }

    private static double shown(FloatImage in, Fill fill, int row, int column, int c) {
        int height = in.height();
        int width = in.width();
        if (fill.mode() == Fill.Mode.CONSTANT && (row < 0 || row >= height || column < 0 || column >= width)) {
            return fill.value();
        }
        return in.value(walk(fill, row, height), walk(fill, column, width), c);
    }

    /** Walks from pixel 0 to place {@code at} step by step, turning or jumping at the ends. */
    private static int walk(Fill fill, int at, int size) {
        int place = 0;
        int direction = 1;
        for (int i = 0; i < Math.abs(at); i++) {
            int step = at < 0 ? -direction : direction;
            int next = place + step;
            if (next >= 0 && next < size) {
                place = next;
            } else if (fill.mode() == Fill.Mode.REFLECT) {
                direction = -direction;
            } else if (fill.mode() == Fill.Mode.WRAP) {
                place = next < 0 ? size - 1 : 0;
            }
        }
        return place;
    }

    @Test
    void mxnetShearsRowsAgainstEachOther() {
        // Row y moves right by s·(y − 1.5): the fixed point of a 3×3 image is (1.5, 1.5).
        AffineMap shear = new MxnetAffine.Draw(0, 0.5).map(3, 3);
        assertThat(warp(NINE, shear, Fill.WHITE))
                .containsExactly(new float[] {1.75f, 2.75f, 192, 4.25f, 5.25f, 68.25f, 69, 7.75f, 8.75f}, CLOSE);
    }

    @Test
    void mxnetTurnsAnticlockwiseAboutHalfTheSizeAndFillsWithWhite() {
        FloatImage four = FloatImage.of(2, 2, 1, 1, 2, 3, 4);
        // The pixel at (1, 1), centre of a 2×2 image for MXNet, stays; (1, 0) above it goes to its left.
        assertThat(apply(MxnetAffine.fixed(90, 0), four, rng(0))).containsExactly(new float[] {255, 255, 2, 4}, CLOSE);
        assertThat(apply(MxnetAffine.fixed(360, 0), NINE, rng(0))).containsExactly(values(NINE), CLOSE);
        FloatImage grey = new FloatImage().resize(60, 80, 3);
        Arrays.fill(grey.values(), 0, grey.size(), 50);
        float[] turned = apply(MxnetAffine.fixed(15, 0.1), grey, rng(3));
        int last = turned.length - 1;
        int row = 80 * 3;
        assertThat(new float[] {turned[0], turned[row - 1], turned[last - row + 1], turned[last]})
                .containsOnly(255);
        assertThat(turned[30 * row + 40 * 3]).isEqualTo(50);
    }

    @Test
    void mxnetMatrixIsInvertedExactly() {
        // By the formula: input (x, y) goes to ((a − s·b)·x + (b + s·a)·y, −b·x + a·y) about the centre.
        double a = Math.cos(Math.toRadians(15));
        double b = Math.sin(Math.toRadians(15));
        double s = -0.07;
        AffineMap map = new MxnetAffine.Draw(15, s).map(256, 341);
        for (double[] point : new double[][] {{0, 0}, {340, 0}, {17, 200}}) {
            double x = point[0] - 341 / 2.0;
            double y = point[1] - 128;
            double toX = (a - s * b) * x + (b + s * a) * y + 341 / 2.0;
            double toY = -b * x + a * y + 128;
            assertThat(map.xx() * toX + map.xy() * toY + map.x0()).isCloseTo(point[0], Offset.offset(1e-9));
            assertThat(map.yx() * toX + map.yy() * toY + map.y0()).isCloseTo(point[1], Offset.offset(1e-9));
        }
    }

    @Test
    void mxnetAnglesAreFixedOrEveryWholeNumberAndShearStaysInItsRange() {
        Rng rng = rng(29);
        Set<Integer> angles = new HashSet<>();
        double low = 1;
        double high = -1;
        for (int i = 0; i < 2000; i++) {
            MxnetAffine.Draw draw = MxnetAffine.random(15, 0.1).draw(rng);
            angles.add(draw.degrees());
            low = Math.min(low, draw.shear());
            high = Math.max(high, draw.shear());
            assertThat(MxnetAffine.fixed(15, 0.1).draw(rng).degrees()).isEqualTo(15);
        }
        assertThat(angles).hasSize(31).contains(-15, 0, 15);
        assertThat(low).isBetween(-0.1, -0.099);
        assertThat(high).isBetween(0.099, 0.1);
    }

    @Test
    void rangesThatMakeNoSenseAreRefused() {
        assertThatThrownBy(() -> RandomAffine.NOTHING.zoom(1)).isInstanceOf(ShapeException.class);
        assertThatThrownBy(() -> RandomAffine.NOTHING.rotation(Double.NaN)).isInstanceOf(ShapeException.class);
        assertThatThrownBy(() -> MxnetAffine.fixed(-1, 0)).isInstanceOf(ShapeException.class);
        assertThatThrownBy(() -> MxnetAffine.random(181, 0)).isInstanceOf(ShapeException.class);
        assertThatThrownBy(() -> MxnetAffine.random(0, Double.NaN)).isInstanceOf(ShapeException.class);
        assertThatThrownBy(() -> Fill.constant(Float.NaN)).isInstanceOf(ShapeException.class);
    }
}
