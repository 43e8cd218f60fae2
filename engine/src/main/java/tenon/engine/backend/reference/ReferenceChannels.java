package tenon.engine.backend.reference;

import tenon.engine.Tensor;
import tenon.engine.backend.ChannelKernels;

final class ReferenceChannels implements ChannelKernels {
    @Override
    public void copy(Tensor from, int fromOffset, Tensor to, int toOffset, int count) {
        Elements x = Elements.of(from);
        Elements y = Elements.of(to);
        long fromChannels = from.shape().dim(-1);
        long toChannels = to.shape().dim(-1);
        for (long outer = 0; outer < from.shape().outerCount(); outer++) {
            for (int i = 0; i < count; i++) {
                y.set(outer * toChannels + toOffset + i, x.get(outer * fromChannels + fromOffset + i));
            }
        }
    }
}
