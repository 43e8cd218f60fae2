package tenon.apps.pretrained;

import java.util.List;
import java.util.function.IntUnaryOperator;
import java.util.stream.Collectors;
import tenon.engine.Shape;

/**
 * The elements of one tensor in Tenon's order and in another framework's: filters are [K, R, S, C] here, [K, C, R, S] or [R, S, C, K] there, and the columns
 * of a dense layer behind an image follow row, column, channel or channel, row, column.
 */
final class ElementOrder {
    private final Slot slot;
    private final Convention convention;

    ElementOrder(Slot slot, Convention convention) {
        this.slot = slot;
        this.convention = convention;
    }

    /** The shape that the other framework writes. */
    List<Integer> shape() {
        return shapes().getFirst();
    }

    /** Whether an array of this shape can be this tensor. */
    boolean fits(List<Integer> shape) {
        return shapes().contains(shape) || isVector() && withoutOnes(shape).equals(withoutOnes(slot.shape()));
    }

    private boolean isVector() {
        return slot.role() != Role.FILTERS && slot.role() != Role.ROWS;
    }

    private static List<Integer> withoutOnes(List<Integer> shape) {
        return shape.stream().filter(dim -> dim != 1).toList();
    }

    /** Shapes with the same elements in the same order: a dense layer may have been a convolution over the whole image, and the other way round. */
    private List<List<Integer>> shapes() {
        List<Integer> own = slot.shape();
        return switch (slot.role()) {
            case FILTERS -> {
                int k = own.get(0);
                int r = own.get(1);
                int s = own.get(2);
                int c = own.get(3);
                List<Integer> filters = switch (convention) {
                    case TENON -> own;
                    case TORCH, MXNET -> List.of(k, c, r, s);
                    case KERAS -> slot.depthwise() ? List.of(r, s, k, 1) : List.of(r, s, c, k);
                };
                List<Integer> rows = convention == Convention.KERAS ? List.of(c, k) : List.of(k, c);
                yield r == 1 && s == 1 && !slot.depthwise() ? List.of(filters, rows) : List.of(filters);
            }
            case ROWS -> {
                int o = own.get(0);
                int i = own.get(1);
                Shape image = slot.image() == null ? Shape.of(1, 1, 1, i) : slot.image();
                int h = image.dim(1);
                int w = image.dim(2);
                int c = image.dim(3);
                yield switch (convention) {
                    case TENON -> List.of(own);
                    case TORCH, MXNET -> List.of(own, List.of(o, c, h, w));
                    case KERAS -> List.of(List.of(i, o), List.of(h, w, c, o));
                };
            }
            case BIAS, GAMMA, BETA, MEAN, VARIANCE, SLOPE -> List.of(own);
        };
    }

    /** The other framework's elements in Tenon's order; may return its argument. */
    float[] toTenon(float[] theirs) {
        IntUnaryOperator place = place();
        if (place == null) {
            return theirs;
        }
        float[] own = new float[theirs.length];
        for (int i = 0; i < own.length; i++) {
            own[i] = theirs[place.applyAsInt(i)];
        }
        return own;
    }

    /** Tenon's elements in the other framework's order; may return its argument. */
    float[] fromTenon(float[] own) {
        IntUnaryOperator place = place();
        if (place == null) {
            return own;
        }
        float[] theirs = new float[own.length];
        for (int i = 0; i < own.length; i++) {
            theirs[place.applyAsInt(i)] = own[i];
        }
        return theirs;
    }

    /** Where each of Tenon's elements stands in the other framework's array; null where at the same place. */
    private IntUnaryOperator place() {
        if (convention == Convention.TENON || isVector()) {
            return null;
        }
        List<Integer> own = slot.shape();
        boolean keras = convention == Convention.KERAS;
        if (slot.role() == Role.FILTERS) {
            // Tenon's i counts [K][pixels][channels].
            int filters = own.get(0);
            int pixels = own.get(1) * own.get(2);
            int channels = own.get(3);
            return keras
                    ? i -> i % (pixels * channels) * filters + i / (pixels * channels)
                    : i -> (i / (pixels * channels) * channels + i % channels) * pixels + i / channels % pixels;
        }
        int rows = own.get(0);
        int columns = own.get(1);
        if (keras) {
            return i -> i % columns * rows + i / columns;
        }
        Shape image = slot.image();
        if (image == null || image.dim(1) * image.dim(2) == 1) {
            return null;
        }
        int pixels = image.dim(1) * image.dim(2);
        int channels = image.dim(3);
        return i -> i - i % columns + i % columns % channels * pixels + i % columns / channels;
    }

    /** Reverses the order of a filter's channels: for weights of networks that saw blue first. */
    static float[] reversedChannels(float[] filters, int channels) {
        float[] reversed = new float[filters.length];
        for (int i = 0; i < filters.length; i++) {
            int channel = i % channels;
            reversed[i] = filters[i - channel + channels - 1 - channel];
        }
        return reversed;
    }

    /** The shapes that fit. */
    @Override
    public String toString() {
        return shapes().stream().map(List::toString).collect(Collectors.joining(" or "));
    }
}
