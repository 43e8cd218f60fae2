package tenon.benchmarks.libtorch;

import org.bytedeco.pytorch.global.torch.MemoryFormat;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * How a network is built in libtorch.
 *
 * @param type Float or Double
 * @param format memory order of images and filters
 * @param dropout false makes dropout the identity, for comparisons
 */
public record TorchOptions(ScalarType type, MemoryFormat format, boolean dropout) {
    /** Without dropout, [N, C, H, W] in memory too: in channels-last, libtorch's batch norm sums in F32 and is off by 1e-5. */
    public static TorchOptions comparable(ScalarType type) {
        return new TorchOptions(type, MemoryFormat.Contiguous, false);
    }
}
