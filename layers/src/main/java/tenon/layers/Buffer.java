package tenon.layers;

import tenon.engine.DType;
import tenon.engine.Tensor;

/** A tensor that belongs to a layer's state without being trained, such as a running average: saved in checkpoints, never optimized. */
public final class Buffer {
    private final String localName;
    private Tensor value;
    private Module owner;

    public Buffer(String name, Tensor value) {
        this.localName = name;
        this.value = value;
    }

    /** Dotted name from the root of the network, e.g. {@code bn1.runningMean}: the key in checkpoints. */
    public String name() {
        return owner == null ? localName : owner.dotted(localName);
    }

    public Tensor value() {
        return value;
    }

    void ownedBy(Module module) {
        owner = module;
    }

    void convertTo(DType dtype) {
        value = Module.converted(value, dtype);
    }

    @Override
    public String toString() {
        return name() + " " + value.shape();
    }
}
