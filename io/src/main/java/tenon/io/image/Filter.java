package tenon.io.image;

/**
 * How {@link Resize} computes a pixel from its neighbours. The definitions are OpenCV's, so sizes and pixels match pictures prepared with it to within 1 in
 * 255. With s = input size / output size, output pixel x has its centre at c = (x + 0.5)·s − 0.5 in the input; what lies outside the input is its border
 * pixel repeated. Only {@link #AREA} looks at more pixels when it shrinks more: the others alias where s is above about 2.
 */
public enum Filter {
    /** Pixel ⌊x·s⌋ ({@code INTER_NEAREST}). */
    NEAREST,
    /** The two pixels around c in each direction, weighted linearly ({@code INTER_LINEAR}). */
    BILINEAR,
    /** Four pixels in each direction, weighted by the cubic convolution kernel with a = −0.75 ({@code INTER_CUBIC}). */
    BICUBIC,
    /**
     * The mean over the area that the output pixel covers ({@code INTER_AREA}): the choice for shrinking. Where a direction is enlarged, linear between
     * two pixels like {@link #BILINEAR}, but only in output pixels that cover both.
     */
    AREA,
    /** Eight pixels in each direction, weighted by the Lanczos kernel sinc(t)·sinc(t/4) ({@code INTER_LANCZOS4}). */
    LANCZOS
}
