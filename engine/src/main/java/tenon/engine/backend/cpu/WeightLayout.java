package tenon.engine.backend.cpu;

import org.bytedeco.dnnl.dnnl_memory_desc;
import tenon.engine.DType;

/**
 * One physical order and dtype of the weights of a geometry. There is one object per order ({@link WeightLayouts} sees to that), so layouts are
 * compared by identity.
 *
 * @param byteSize with the padding of blocked orders, which is zero
 * @param rowMajor in the order of the plain tensor
 */
record WeightLayout(
        WeightGeometry geometry,
        DType dtype,
        dnnl_memory_desc descriptor,
        long byteSize,
        boolean rowMajor,
        String name) {
    /** Row-major F32, as every other part of the engine knows weights. */
    boolean plain() {
        return rowMajor && dtype == DType.F32;
    }

    /** Elements with padding. */
    long elementCount() {
        return byteSize / dtype.byteSize();
    }

    @Override
    public boolean equals(Object other) {
        return this == other;
    }

    @Override
    public int hashCode() {
        return System.identityHashCode(this);
    }

    @Override
    public String toString() {
        return geometry + " " + name;
    }
}
