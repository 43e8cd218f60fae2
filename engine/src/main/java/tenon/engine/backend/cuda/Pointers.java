package tenon.engine.backend.cuda;

import jcuda.driver.CUdeviceptr;

/** Device addresses as JCuda's objects. */
final class Pointers {
    private static final CUdeviceptr ZERO = new CUdeviceptr();

    private static final class Address extends CUdeviceptr {
        Address(long address) {
            super(ZERO, address);
        }
    }

    private Pointers() {}

    /** For any call of JCuda that takes a device pointer; 0 is the null pointer. */
    static CUdeviceptr at(long address) {
        return new Address(address);
    }
}
