package tenon.engine.backend.cuda;

import static tenon.engine.backend.cuda.Vectors.in;
import static tenon.engine.backend.cuda.Vectors.out;

import tenon.engine.DType;
import tenon.engine.DTypeException;
import tenon.engine.Shape;
import tenon.engine.ShapeException;
import tenon.engine.TenonException;
import tenon.engine.Tensor;
import tenon.engine.backend.BatchAugmentation;

/** Augmentation of raw images, by an own kernel: one pass from the bytes to the network's input. */
final class CudaAugmentation implements BatchAugmentation {
    private static final String OP = "crop_mirror_normalize";

    private final CudaBackend backend;
    private final KernelPair kernel;

    CudaAugmentation(CudaBackend backend) {
        this.backend = backend;
        kernel = new KernelPair(backend, "augment", OP);
    }

    @Override
    public void cropMirrorNormalize(Tensor images, Tensor places, Tensor mean, Tensor deviation, Tensor output) {
        backend.checkDType(OP, output);
        backend.checkF32(OP, mean);
        backend.checkF32(OP, deviation);
        check(images, places, mean, deviation, output);
        Shape from = images.shape();
        Shape to = output.shape();
        long rows = (long) to.dim(0) * to.dim(1);
        long size = (long) to.dim(2) * to.dim(3);
        backend.launch(kernel.of(output.dtype()))
                .address(in(images))
                .int32(from.dim(1))
                .int32(from.dim(2))
                .int32(from.dim(3))
                .address(in(places))
                .address(in(mean))
                .address(in(deviation))
                .address(out(output))
                .int32(to.dim(1))
                .int32(to.dim(2))
                .int64(rows)
                .grid(size == 0 ? 0 : (int) Math.min(rows, Integer.MAX_VALUE), 1, 1, threads(size, output.dtype()));
    }

    /** Enough for a row, in whole warps. */
    private static int threads(long size, DType dtype) {
        long wanted = Vectors.threads(size, dtype);
        return Math.clamp((wanted + 31) / 32 * 32, 32, Launch.THREADS);
    }

    private static void check(Tensor images, Tensor places, Tensor mean, Tensor deviation, Tensor output) {
        if (images.dtype() != DType.U8 || places.dtype() != DType.I32) {
            throw new DTypeException(TenonException.where(OP) + ": images must be U8 and places I32: images=" + images
                    + ", places=" + places);
        }
        Shape from = images.shape();
        Shape to = output.shape();
        boolean fits = from.rank() == 4
                && to.rank() == 4
                && from.dim(0) == to.dim(0)
                && from.dim(3) == to.dim(3)
                && places.shape().equals(Shape.of(to.dim(0), 3))
                && mean.shape().equals(Shape.of(to.dim(3)))
                && deviation.shape().equals(mean.shape());
        if (!fits) {
            throw new ShapeException(TenonException.where(OP)
                    + ": images must be [N, H, W, C], places [N, 3], mean and deviation [C], output [N, P, Q, C]:"
                    + " images="
                    + from + ", places=" + places.shape() + ", mean=" + mean.shape() + ", deviation="
                    + deviation.shape() + ", output=" + to);
        }
    }
}
