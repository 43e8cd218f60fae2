package tenon.io.augment;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import tenon.engine.Rng;
import tenon.engine.Shape;
import tenon.engine.ShapeException;

class AugmenterTest {
    private static final Offset<Float> CLOSE = within(1e-3f);

    /** 3×3, one channel: 1 2 3 / 4 5 6 / 7 8 9. */
    private static final FloatImage NINE = FloatImage.of(3, 3, 1, 1, 2, 3, 4, 5, 6, 7, 8, 9);

    private static float[] values(FloatImage image) {
        return Arrays.copyOf(image.values(), image.size());
    }

    private static float[] apply(Augmenter augmenter, FloatImage in, Rng rng) {
        FloatImage out = new FloatImage();
        augmenter.apply(in, out, rng);
        return values(out);
    }

    private static float[] warp(FloatImage in, RandomAffine.Draw draw) {
        FloatImage out = new FloatImage();
        draw.map(in.height(), in.width()).warp(in, out);
        return values(out);
    }

    private static Rng rng(long seed) {
        return new Rng(seed, 1, 0);
    }

    @Test
    void flipMirrorsPixelsAndKeepsChannelsTogether() {
        FloatImage image = FloatImage.of(1, 3, 2, 1, 10, 2, 20, 3, 30);
        assertThat(apply(new HorizontalFlip(1), image, rng(0))).containsExactly(3, 30, 2, 20, 1, 10);
        assertThat(apply(new HorizontalFlip(0), image, rng(0))).containsExactly(1, 10, 2, 20, 3, 30);
        int flipped = 0;
        Rng rng = rng(5);
        for (int i = 0; i < 2000; i++) {
            flipped += apply(new HorizontalFlip(), image, rng)[0] == 3 ? 1 : 0;
        }
        // Standard deviation of 2000 fair coins: 22.4.
        assertThat(flipped).isBetween(900, 1100);
    }

    @Test
    void paddedCropShiftsAndFillsWithBlack() {
        RandomCrop crop = new RandomCrop(3, 3, 1);
        Set<String> seen = new HashSet<>();
        Rng rng = rng(7);
        for (int i = 0; i < 500; i++) {
            seen.add(Arrays.toString(apply(crop, NINE, rng)));
        }
        // Nine places; among them the corner one, the untouched one and a pure shift.
        assertThat(seen)
                .hasSize(9)
                .contains("[0.0, 0.0, 0.0, 0.0, 1.0, 2.0, 0.0, 4.0, 5.0]")
                .contains("[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0]")
                .contains("[2.0, 3.0, 0.0, 5.0, 6.0, 0.0, 8.0, 9.0, 0.0]");
    }

    @Test
    void patchIsASubRectangleAtEveryPossiblePlace() {
        RandomCrop patch = new RandomCrop(2, 1, 0);
        assertThat(patch.outputShape(Shape.of(3, 3, 1))).isEqualTo(Shape.of(2, 1, 1));
        Set<String> seen = new HashSet<>();
        Rng rng = rng(3);
        for (int i = 0; i < 300; i++) {
            seen.add(Arrays.toString(apply(patch, NINE, rng)));
        }
        assertThat(seen)
                .containsExactlyInAnyOrder(
                        "[1.0, 4.0]", "[2.0, 5.0]", "[3.0, 6.0]", "[4.0, 7.0]", "[5.0, 8.0]", "[6.0, 9.0]");
        assertThat(apply(new RandomCrop(3, 3, 0), NINE, rng)).isEqualTo(values(NINE));
        assertThatThrownBy(() -> new RandomCrop(4, 4, 0).outputShape(Shape.of(3, 3, 1)))
                .isInstanceOf(ShapeException.class);
    }

    @Test
    void theCentreOfAnImageOf341x256BeginsAt57And14() {
        CenterCrop center = new CenterCrop(227, 227);
        Rng rng = rng(0);
        assertThat(center.left(341, rng)).isEqualTo(57);
        assertThat(center.top(256, rng)).isEqualTo(14);
        assertThat(center.outputShape(Shape.of(256, 341, 3))).isEqualTo(Shape.of(227, 227, 3));
        assertThat(apply(new CenterCrop(1, 2), NINE, rng)).containsExactly(4, 5);
        assertThat(apply(new CenterCrop(3, 3), NINE, rng)).isEqualTo(values(NINE));
        assertThatThrownBy(() -> apply(new CenterCrop(2, 4), NINE, rng))
                .isInstanceOf(ShapeException.class)
                .hasMessageContaining("image width=3, crop width=4");
    }

    @Test
    void drawingApartAndCuttingGivesWhatApplyingGives() {
        for (Crop crop : List.of(new RandomCrop(2, 2), new RandomCrop(3, 2, 1), new CenterCrop(2, 2))) {
            Rng whole = rng(4);
            Rng apart = rng(4);
            for (int i = 0; i < 50; i++) {
                FloatImage out = new FloatImage();
                int top = crop.top(3, apart);
                int left = crop.left(3, apart);
                Crop.cut(NINE, out, top, left, crop.height(), crop.width());
                assertThat(values(out)).isEqualTo(apply(crop, NINE, whole));
            }
            assertThat(apart.nextUniform()).isEqualTo(whole.nextUniform());
        }
        HorizontalFlip flip = new HorizontalFlip();
        for (int i = 0; i < 50; i++) {
            boolean mirrored = flip.draw(rng(i));
            assertThat(apply(flip, NINE, rng(i))[0]).isEqualTo(mirrored ? 3 : 1);
        }
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
        RandomAffine affine = new RandomAffine(30, 0.1, 0.1, 0.2, 0.2, 0.5);
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
        RandomAffine affine = new RandomAffine(30, 0.1, 0.1, 0.2, 0.2, 0.5);
        FloatImage constant = new FloatImage().resize(9, 7, 3);
        Arrays.fill(constant.values(), 0, constant.size(), 77);
        FloatImage noise = new FloatImage().resize(9, 7, 3);
        Rng rng = rng(13);
        for (int i = 0; i < noise.size(); i++) {
            noise.values()[i] = rng.nextInt(256);
        }
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
        RandomAffine affine = new RandomAffine(30, 0.1, 0.1, 0.2, 0.2, 0.5);
        Rng rng = rng(1);
        rng.position(1000);
        float[] first = apply(affine, NINE, rng);
        assertThat(apply(affine, NINE, rng)).isNotEqualTo(first);
        rng.position(1000);
        assertThat(apply(affine, NINE, rng)).isEqualTo(first);
    }

    @Test
    void rangesThatMakeNoSenseAreRefused() {
        assertThatThrownBy(() -> new RandomAffine(30, 0.1, 0.1, 0.2, 1, 0.5)).isInstanceOf(ShapeException.class);
        assertThatThrownBy(() -> new RandomAffine(Double.NaN, 0, 0, 0, 0, 0)).isInstanceOf(ShapeException.class);
        assertThatThrownBy(() -> new HorizontalFlip(1.5)).isInstanceOf(ShapeException.class);
        assertThatThrownBy(() -> new RandomCrop(0, 1, 0)).isInstanceOf(ShapeException.class);
    }
}
