package tenon.benchmarks.networks;

import org.bytedeco.pytorch.global.torch.MemoryFormat;

/** What computes, and for libtorch how it lays images out in memory. */
enum Engine {
    TENON("tenon", null),
    CONTIGUOUS("libtorch contiguous", MemoryFormat.Contiguous),
    CHANNELS_LAST("libtorch channels-last", MemoryFormat.ChannelsLast);

    private final String label;
    private final MemoryFormat format;

    Engine(String label, MemoryFormat format) {
        this.label = label;
        this.format = format;
    }

    /** Of libtorch's images and filters; null for Tenon. */
    MemoryFormat format() {
        return format;
    }

    @Override
    public String toString() {
        return label;
    }
}
