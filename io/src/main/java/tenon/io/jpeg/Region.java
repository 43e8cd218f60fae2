package tenon.io.jpeg;

/** Rows [top, bottom) and columns [left, right) of a picture: what is wanted of it. Reusable. */
public final class Region {
    private int top;
    private int left;
    private int bottom;
    private int right;

    public Region set(int newTop, int newLeft, int newBottom, int newRight) {
        top = newTop;
        left = newLeft;
        bottom = newBottom;
        right = newRight;
        return this;
    }

    int top() {
        return top;
    }

    int left() {
        return left;
    }

    int bottom() {
        return bottom;
    }

    int right() {
        return right;
    }
}
