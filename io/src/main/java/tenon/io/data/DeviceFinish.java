package tenon.io.data;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import tenon.engine.Scope;
import tenon.engine.Tensor;
import tenon.engine.backend.Backend;
import tenon.engine.backend.BatchAugmentation;
import tenon.io.augment.Augmenter;

/**
 * The last steps of pictures on the device: mirror, normalize and cast. A batch travels as bytes, a quarter of F32's, and the host's pass over its values is a copy. Crops are the host's: it
 * copies a picture's pixels into page-locked memory in any case, and needs no more of them than the window holds. Results are those of {@link CropPass}, bit for bit.
 */
final class DeviceFinish implements AutoCloseable {
    /** Numbers per picture of {@link BatchAugmentation#cropMirrorNormalize}: top and left of the window, always 0 here, and whether it is mirrored. */
    static final int WINDOW = 3;

    static final long WINDOW_BYTES = WINDOW * (long) Integer.BYTES;

    private final Normalization normalization;
    private final int channels;
    private final BatchAugmentation kernels;
    private final Tensor mean;
    private final Tensor deviation;

    DeviceFinish(Backend backend, Normalization normalization, int channels) {
        this.normalization = normalization;
        this.channels = channels;
        kernels = backend.augmentation();
        float[] means = new float[channels];
        float[] stds = new float[channels];
        for (int c = 0; c < channels; c++) {
            means[c] = normalization.mean(c);
            stds[c] = normalization.std(c);
        }
        try (var _ = Scope.open("normalization", backend)) {
            mean = Tensor.of(means, channels).retain();
            deviation = Tensor.of(stds, channels).retain();
        }
    }

    /** The same on another back-end of this kind. */
    DeviceFinish on(Backend other) {
        return new DeviceFinish(other, normalization, channels);
    }

    /** Why the device cannot finish a source's pictures, as a clause; null if it can. */
    static String obstacle(Backend backend, List<Augmenter> augmenters, Mixup mixup) {
        if (backend.augmentation() == null) {
            return backend.name() + " has no kernel for it";
        }
        if (mixup != null) {
            return "mixup works on finished pictures";
        }
        for (Augmenter augmenter : augmenters) {
            if (!CropWindow.follows(List.of(augmenter))) {
                return augmenter.getClass().getSimpleName() + " is neither a crop nor a mirroring";
            }
        }
        return null;
    }

    /** Writes a sample's numbers to a slot's windows. */
    void mirror(MemorySegment windows, int position, boolean mirrored) {
        long first = (long) position * WINDOW;
        windows.setAtIndex(ValueLayout.JAVA_INT, first, 0);
        windows.setAtIndex(ValueLayout.JAVA_INT, first + 1, 0);
        windows.setAtIndex(ValueLayout.JAVA_INT, first + 2, mirrored ? 1 : 0);
    }

    /** Queues the computation of inputs from uploaded pictures. */
    void run(Tensor pictures, Tensor windows, Tensor inputs) {
        kernels.cropMirrorNormalize(pictures, windows, mean, deviation, inputs);
    }

    @Override
    public void close() {
        mean.close();
        deviation.close();
    }
}
