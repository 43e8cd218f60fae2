package tenon.io.augment;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static tenon.io.augment.Images.CLOSE;
import static tenon.io.augment.Images.NINE;
import static tenon.io.augment.Images.apply;
import static tenon.io.augment.Images.noise;
import static tenon.io.augment.Images.numbered;
import static tenon.io.augment.Images.rng;
import static tenon.io.augment.Images.values;

import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import tenon.engine.Rng;
import tenon.engine.Shape;
import tenon.engine.ShapeException;

class CropTest {
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
    void patchesOf227ComeFromAll900PlacesIn256() {
        RandomCrop patch = new RandomCrop(227, 227);
        Rng rng = rng(41);
        Set<List<Integer>> places = new HashSet<>();
        for (int i = 0; i < 20_000; i++) {
            places.add(List.of(patch.top(256, rng), patch.left(256, rng)));
        }
        // Missing one of 900 after 20,000 draws has a probability of 900·e^−22.
        assertThat(places).hasSize(900).contains(List.of(0, 0), List.of(29, 29));
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
    void theFourCornersAndTheCentreClockwiseThenTheirMirrorImages() {
        FloatImage image = numbered(256, 256);
        FloatImage view = new FloatImage();
        TenCrop ten = new TenCrop(227, 227);
        int[][] corners = {{0, 0}, {0, 29}, {29, 29}, {29, 0}};
        for (int i = 0; i < 4; i++) {
            ten.crop(i, image, view);
            FloatImage window = new FloatImage();
            Crop.cut(image, window, corners[i][0], corners[i][1], 227, 227);
            assertThat(values(view)).isEqualTo(values(window));
            assertThat(view.value(0, 0, 0)).isEqualTo(corners[i][0] * 256 + corners[i][1]);
        }
        // The centre is 228×228 from (14, 14), squashed by 228/227: the first pixel covers 1 + 1/227 pixels each way.
        ten.crop(4, image, view);
        assertThat(view.height()).isEqualTo(227);
        assertThat(view.width()).isEqualTo(227);
        double beyond = (1 / 227.0) / (228 / 227.0);
        assertThat((double) view.value(0, 0, 0)).isCloseTo(14 * 257 + beyond * 257, Offset.offset(0.1));
        assertThat((double) view.value(226, 226, 0)).isCloseTo(241 * 257 - beyond * 257, Offset.offset(0.1));
        FloatImage mirrored = new FloatImage();
        for (int i = 0; i < 5; i++) {
            ten.crop(i, image, view);
            ten.crop(5 + i, image, mirrored);
            for (int y = 0; y < 227; y += 13) {
                for (int x = 0; x < 227; x++) {
                    assertThat(mirrored.value(y, x, 0)).isEqualTo(view.value(y, 226 - x, 0));
                }
            }
        }
    }

    @Test
    void anEvenDifferenceLeavesTheCentreOfTenCropsAsItIs() {
        FloatImage view = new FloatImage();
        new TenCrop(228, 228).crop(4, numbered(256, 256), view);
        assertThat(values(view)).isEqualTo(apply(new CenterCrop(228, 228), numbered(256, 256), rng(0)));
        assertThatThrownBy(() -> new TenCrop(4, 2).crop(0, NINE, view))
                .isInstanceOf(ShapeException.class)
                .hasMessageContaining("image=3×3, crop=4×2");
        assertThatThrownBy(() -> new TenCrop(2, 2).crop(10, NINE, view)).isInstanceOf(IndexOutOfBoundsException.class);
    }

    @Test
    void tenCropsOfASymmetricImageAreClosedUnderMirroring() {
        FloatImage symmetric = FloatImage.of(3, 3, 1, 1, 2, 1, 4, 5, 4, 7, 8, 7);
        Set<String> views = new HashSet<>();
        Set<String> mirrored = new HashSet<>();
        for (int i = 0; i < TenCrop.COUNT; i++) {
            FloatImage view = new FloatImage();
            new TenCrop(2, 2).crop(i, symmetric, view);
            views.add(Arrays.toString(values(view)));
            HorizontalFlip.mirror(view);
            mirrored.add(Arrays.toString(values(view)));
        }
        assertThat(mirrored).isEqualTo(views);
    }

    @Test
    void aStackHoldsTheViewsOneAfterTheOther() {
        FloatImage image = noise(7, 9, 3, rng(2));
        for (int count : new int[] {1, 5, 10}) {
            CropStack stack = new CropStack(new TenCrop(4, 6), count);
            assertThat(stack.outputShape(Shape.of(7, 9, 3))).isEqualTo(Shape.of(4 * count, 6, 3));
            float[] stacked = apply(stack, image, rng(0));
            assertThat(stacked).hasSize(count * 4 * 6 * 3);
            for (int i = 0; i < count; i++) {
                FloatImage view = new FloatImage();
                new TenCrop(4, 6).crop(i, image, view);
                assertThat(Arrays.copyOfRange(stacked, i * view.size(), (i + 1) * view.size()))
                        .isEqualTo(values(view));
            }
        }
        assertThatThrownBy(() -> new CropStack(new TenCrop(4, 6), 11))
                .isInstanceOf(ShapeException.class)
                .hasMessageContaining("count=11");
        assertThatThrownBy(() -> apply(new CropStack(new TenCrop(8, 6), 5), image, rng(0)))
                .isInstanceOf(ShapeException.class)
                .hasMessageContaining("image=7×9, crop=8×6");
    }

    @Test
    void theShorterSideGetsItsLengthAndTheLongerFollows() {
        assertThat(new ShortSide(256).outputShape(Shape.of(375, 500, 3))).isEqualTo(Shape.of(256, 341, 3));
        assertThat(new ShortSide(256).outputShape(Shape.of(500, 375, 3))).isEqualTo(Shape.of(341, 256, 3));
        FloatImage image = noise(6, 9, 3, rng(2));
        assertThat(apply(new ShortSide(4), image, rng(0))).isEqualTo(apply(new Squash(4, 6), image, rng(0)));
        assertThat(apply(new ShortSide(8), image, rng(0))).isEqualTo(apply(new Squash(8, 12), image, rng(0)));
        assertThat(apply(new ShortSide(6), image, rng(0))).isEqualTo(values(image));
        assertThatThrownBy(() -> new ShortSide(0)).isInstanceOf(ShapeException.class);
    }

    @Test
    void squashingAveragesTheCoveredArea() {
        // 3 to 2 columns: one and a half pixels each. 3 to 1 rows: all.
        assertThat(apply(new Squash(3, 2), NINE, rng(0)))
                .containsExactly(new float[] {4 / 3f, 8 / 3f, 13 / 3f, 17 / 3f, 22 / 3f, 26 / 3f}, CLOSE);
        assertThat(apply(new Squash(1, 3), NINE, rng(0))).containsExactly(new float[] {4, 5, 6}, CLOSE);
        assertThat(apply(new Squash(3, 3), NINE, rng(0))).isEqualTo(values(NINE));
        FloatImage white = new FloatImage().resize(97, 103, 3);
        Arrays.fill(white.values(), 0, white.size(), 255);
        assertThat(apply(new Squash(31, 89), white, rng(0))).containsOnly(255);
        // Growing: centres at −0.25, 0.25, 0.75, 1.25 of a row of two.
        FloatImage two = FloatImage.of(1, 2, 2, 10, 100, 20, 200);
        assertThat(apply(new Squash(1, 4), two, rng(0)))
                .containsExactly(new float[] {10, 100, 12.5f, 125, 17.5f, 175, 20, 200}, CLOSE);
        assertThat(new Squash(5, 7).outputShape(Shape.of(3, 3, 2))).isEqualTo(Shape.of(5, 7, 2));
    }

    @Test
    void aResizedCropIsTheWindowResized() {
        RandomResizedCrop quarter = new RandomResizedCrop(2, 2, 0.25, 0.25, 1, 1);
        FloatImage image = numbered(8, 8);
        for (int seed = 0; seed < 20; seed++) {
            Window window = quarter.draw(8, 8, rng(seed));
            assertThat(window.height()).isEqualTo(4);
            assertThat(window.width()).isEqualTo(4);
            // Output centres lie half-way between the pixels 0 and 1, and 2 and 3, of the window.
            float first = (window.top() + 0.5f) * 8 + window.left() + 0.5f;
            assertThat(apply(quarter, image, rng(seed)))
                    .containsExactly(new float[] {first, first + 2, first + 16, first + 18}, CLOSE);
        }
        // Enlarging repeats the edge of the window, not what lies beyond it.
        RandomResizedCrop corner = new RandomResizedCrop(4, 4, 0.25, 0.25, 1, 1);
        for (int seed = 0; seed < 20; seed++) {
            Window window = corner.draw(4, 4, rng(seed));
            float topLeft = window.top() * 4 + window.left();
            float[] out = apply(corner, numbered(4, 4), rng(seed));
            assertThat(out[0]).isEqualTo(topLeft);
            assertThat(out[15]).isEqualTo(topLeft + 5);
        }
    }

    @Test
    void windowsOfResizedCropsKeepToAreaAndRatioAndReachEveryPlace() {
        RandomResizedCrop crop = new RandomResizedCrop(224, 224);
        Rng rng = rng(17);
        double smallest = 1;
        double largest = 0;
        double narrowest = 9;
        double widest = 0;
        double areas = 0;
        int count = 4000;
        for (int i = 0; i < count; i++) {
            Window window = crop.draw(400, 400, rng);
            assertThat(window.top()).isBetween(0, 400 - window.height());
            assertThat(window.left()).isBetween(0, 400 - window.width());
            double area = window.height() * window.width() / 160_000.0;
            double ratio = (double) window.width() / window.height();
            smallest = Math.min(smallest, area);
            largest = Math.max(largest, area);
            narrowest = Math.min(narrowest, ratio);
            widest = Math.max(widest, ratio);
            areas += area / count;
        }
        // Sides are rounded. A window of area A > 3/4 fits only if |log ratio| ≤ −log A, so areas average 0.478 with
        // deviation 0.004, not 0.54.
        assertThat(smallest).isBetween(0.079, 0.09);
        assertThat(largest).isBetween(0.97, 1.0);
        assertThat(narrowest).isBetween(0.745, 0.76);
        assertThat(widest).isBetween(1.32, 1.34);
        assertThat(areas).isBetween(0.464, 0.492);
    }

    @Test
    void whereNoWindowFitsItIsTheLargestAllowedOneInTheCentre() {
        RandomResizedCrop whole = new RandomResizedCrop(2, 2, 1, 1, 1, 1);
        assertThat(whole.draw(4, 8, rng(0))).isEqualTo(new Window(0, 2, 4, 4));
        assertThat(whole.draw(9, 4, rng(0))).isEqualTo(new Window(2, 0, 4, 4));
        assertThat(new RandomResizedCrop(2, 2).draw(1, 100, rng(0))).isEqualTo(new Window(0, 49, 1, 1));
    }

    @Test
    void parametersThatMakeNoSenseAreRefused() {
        assertThatThrownBy(() -> new HorizontalFlip(1.5)).isInstanceOf(ShapeException.class);
        assertThatThrownBy(() -> new RandomCrop(0, 1)).isInstanceOf(ShapeException.class);
        assertThatThrownBy(() -> new CenterCrop(1, 0)).isInstanceOf(ShapeException.class);
        assertThatThrownBy(() -> new TenCrop(0, 1)).isInstanceOf(ShapeException.class);
        assertThatThrownBy(() -> new Squash(0, 1)).isInstanceOf(ShapeException.class);
        assertThatThrownBy(() -> new RandomResizedCrop(1, 1, 0, 1, 1, 1)).isInstanceOf(ShapeException.class);
        assertThatThrownBy(() -> new RandomResizedCrop(1, 1, 0.5, 1, 2, 1)).isInstanceOf(ShapeException.class);
        assertThatThrownBy(() -> new RandomResizedCrop(1, 1, 0.5, 1, 1, Double.NaN))
                .isInstanceOf(ShapeException.class);
    }
}
