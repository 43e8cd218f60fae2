package tenon.engine.backend.cuda;

import java.util.List;
import jcuda.CudaException;
import jcuda.driver.CUdevice;
import jcuda.driver.JCudaDriver;

/** Direct access of GPUs to each other's memory. Copies between GPUs go through the host's without. */
final class PeerAccess {
    private static final String ALREADY = "CUDA_ERROR_PEER_ACCESS_ALREADY_ENABLED";

    private PeerAccess() {}

    /** Where it is possible. The contexts keep it to their end. */
    static void enable(List<CudaBackend> backends) {
        for (CudaBackend from : backends) {
            for (CudaBackend to : backends) {
                if (possible(from.context.device(), to.context.device())) {
                    from.enter();
                    enable(to);
                }
            }
        }
    }

    private static boolean possible(CUdevice from, CUdevice to) {
        int[] can = new int[1];
        Driver.run("cuDeviceCanAccessPeer", () -> JCudaDriver.cuDeviceCanAccessPeer(can, from, to));
        return can[0] != 0;
    }

    private static void enable(CudaBackend to) {
        try {
            JCudaDriver.cuCtxEnablePeerAccess(to.context.handle(), 0);
        } catch (CudaException e) {
            if (!ALREADY.equals(e.getMessage())) {
                throw Driver.failure("cuCtxEnablePeerAccess", e);
            }
        }
    }
}
