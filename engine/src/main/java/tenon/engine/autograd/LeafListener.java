package tenon.engine.autograd;

import tenon.engine.Tensor;

/** Told by a backward pass, on its thread, of a leaf whose gradient it will not change any more. Leaves that the pass does not reach by all their uses are left out. */
@FunctionalInterface
public interface LeafListener {
    void finished(Tensor leaf);
}
