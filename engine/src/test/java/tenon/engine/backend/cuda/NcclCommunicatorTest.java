package tenon.engine.backend.cuda;

class NcclCommunicatorTest extends CudaCommunicatorContract {
    NcclCommunicatorTest() {
        super("nccl");
    }
}
