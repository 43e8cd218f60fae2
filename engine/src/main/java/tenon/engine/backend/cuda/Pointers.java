package tenon.engine.backend.cuda;

import jcuda.Pointer;
import jcuda.driver.CUdeviceptr;

/** Addresses as JCuda's objects. */
final class Pointers {
    private static final CUdeviceptr ZERO = new CUdeviceptr();

    private static final class Address extends CUdeviceptr {
        Address(long address) {
            super(ZERO, address);
        }
    }

    private static final class HostAddress extends Pointer {
        HostAddress(long address) {
            super(address);
        }
    }

    private Pointers() {}

    /** For calls that take host memory. */
    static Pointer host(long address) {
        return new HostAddress(address);
    }

    /** For any call of JCuda that takes a device pointer; 0 is the null pointer. */
    static CUdeviceptr at(long address) {
        return new Address(address);
    }
}
