package tenon.engine.backend;

import tenon.engine.Tensor;

/** Turns batches of raw images into network inputs on the device. */
public interface BatchAugmentation {
    /**
     * Cuts a window out of each image, mirrors it where asked, normalizes and casts: output[n, p, q, c] = (x − mean[c]) / deviation[c] with x = images[n, top + p, left + q', c], where q' is q, or
     * Q − 1 − q in a mirrored image. What lies outside of the image is 0 before normalization.
     *
     * @param images U8 [N, H, W, C]
     * @param places I32 [N, 3]: top and left of the window in the image, which may lie outside, and not 0 where the image is mirrored
     * @param mean F32 [C], on the scale 0…255
     * @param deviation F32 [C], on the same scale
     * @param output F32 or BF16 [N, P, Q, C]
     */
    void cropMirrorNormalize(Tensor images, Tensor places, Tensor mean, Tensor deviation, Tensor output);
}
