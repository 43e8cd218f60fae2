package tenon.benchmarks.libtorch;

import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.DeviceType;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * libtorch's mixed precision on the CPU while open, as Python's {@code torch.autocast("cpu", torch.bfloat16)}: convolutions and dense layers compute in
 * BF16 from F32 weights, whose casts are kept until the outermost region ends.
 */
public final class Autocast implements AutoCloseable {
    private Autocast() {
        torch.set_autocast_dtype(DeviceType.CPU, ScalarType.BFloat16);
        torch.set_autocast_enabled(DeviceType.CPU, true);
        torch.set_autocast_cache_enabled(true);
        torch.increment_nesting();
    }

    /** @param wanted false opens nothing and gives null, which try-with-resources takes */
    public static Autocast open(boolean wanted) {
        return wanted ? new Autocast() : null;
    }

    @Override
    public void close() {
        if (torch.decrement_nesting() == 0) {
            torch.clear_cache();
        }
        torch.set_autocast_enabled(DeviceType.CPU, false);
    }
}
