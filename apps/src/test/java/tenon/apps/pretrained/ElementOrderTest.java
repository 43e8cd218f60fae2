package tenon.apps.pretrained;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import tenon.engine.Shape;

/** Elements that say in their digits where they belong: filter, row, column, channel. */
class ElementOrderTest {
    /** [K, R, S, C] = [2, 1, 2, 3]: element 10·… is filter, column, channel. */
    private static final float[] FILTERS = {0, 1, 2, 10, 11, 12, 100, 101, 102, 110, 111, 112};

    private static Slot filters(boolean depthwise, Integer... shape) {
        return new Slot("conv.weight", "conv", Role.FILTERS, List.of(shape), null, depthwise);
    }

    private static Slot rows(Shape image, Integer... shape) {
        return new Slot("fc.weight", "fc", Role.ROWS, List.of(shape), image, false);
    }

    @Test
    void filtersOfPytorchHaveChannelsFirst() {
        ElementOrder order = new ElementOrder(filters(false, 2, 1, 2, 3), Convention.TORCH);
        assertThat(order.shape()).containsExactly(2, 3, 1, 2);
        assertThat(order.toTenon(new float[] {0, 10, 1, 11, 2, 12, 100, 110, 101, 111, 102, 112}))
                .containsExactly(FILTERS);
    }

    @Test
    void filtersOfKerasHaveFiltersLast() {
        ElementOrder order = new ElementOrder(filters(false, 2, 1, 2, 3), Convention.KERAS);
        assertThat(order.shape()).containsExactly(1, 2, 3, 2);
        assertThat(order.toTenon(new float[] {0, 100, 1, 101, 2, 102, 10, 110, 11, 111, 12, 112}))
                .containsExactly(FILTERS);
    }

    @Test
    void depthwiseFiltersOfKerasHaveChannelsInFrontOfAMultiplier() {
        ElementOrder order = new ElementOrder(filters(true, 3, 1, 2, 1), Convention.KERAS);
        assertThat(order.shape()).containsExactly(1, 2, 3, 1);
        assertThat(order.toTenon(new float[] {0, 10, 20, 1, 11, 21})).containsExactly(0, 1, 10, 11, 20, 21);
    }

    @Test
    void columnsBehindAnImageFollowItsOrder() {
        // [O, I] = [2, 6] behind 1×2 pixels of 3 channels: output, pixel, channel.
        Slot slot = rows(Shape.of(1, 1, 2, 3), 2, 6);
        float[] own = {0, 1, 2, 10, 11, 12, 100, 101, 102, 110, 111, 112};
        ElementOrder torch = new ElementOrder(slot, Convention.TORCH);
        assertThat(torch.toTenon(new float[] {0, 10, 1, 11, 2, 12, 100, 110, 101, 111, 102, 112}))
                .containsExactly(own);
        assertThat(torch.fits(List.of(2, 6))).isTrue();
        assertThat(torch.fits(List.of(2, 3, 1, 2)))
                .as("a convolution over the whole image")
                .isTrue();
        assertThat(torch.fits(List.of(2, 1, 2, 3))).isFalse();
        ElementOrder keras = new ElementOrder(slot, Convention.KERAS);
        assertThat(keras.shape()).containsExactly(6, 2);
        assertThat(keras.toTenon(new float[] {0, 100, 1, 101, 2, 102, 10, 110, 11, 111, 12, 112}))
                .containsExactly(own);
    }

    @Test
    void columnsBehindOnePixelStay() {
        float[] values = {1, 2, 3, 4};
        ElementOrder order = new ElementOrder(rows(Shape.of(1, 1, 1, 2), 2, 2), Convention.MXNET);
        assertThat(order.toTenon(values)).isSameAs(values);
        assertThat(order.fits(List.of(2, 2, 1, 1))).isTrue();
    }

    @Test
    void vectorsMayHaveDimensionsOfOne() {
        Slot slot = new Slot("act.slope", "act", Role.SLOPE, List.of(4), null, false);
        ElementOrder order = new ElementOrder(slot, Convention.KERAS);
        assertThat(order.fits(List.of(1, 1, 4))).isTrue();
        assertThat(order.fits(List.of(2, 2))).isFalse();
    }

    @ParameterizedTest
    @EnumSource(Convention.class)
    void thereAndBackAgain(Convention convention) {
        for (Slot slot : List.of(
                filters(false, 5, 3, 2, 4),
                filters(true, 6, 3, 3, 1),
                rows(null, 3, 7),
                rows(Shape.of(1, 2, 3, 4), 5, 24))) {
            float[] own = new float[slot.elementCount()];
            for (int i = 0; i < own.length; i++) {
                own[i] = i;
            }
            ElementOrder order = new ElementOrder(slot, convention);
            assertThat(order.toTenon(order.fromTenon(own))).as("%s", slot).containsExactly(own);
            assertThat(order.fits(order.shape())).isTrue();
        }
    }

    @Test
    void blueFirstBecomesRedFirst() {
        assertThat(ElementOrder.reversedChannels(new float[] {1, 2, 3, 4, 5, 6}, 3))
                .containsExactly(3, 2, 1, 6, 5, 4);
    }
}
