package tenon.engine.backend.cuda;

class CudaNcclCommunicatorTest extends CudaCommunicatorContract {
    CudaNcclCommunicatorTest() {
        super("nccl");
    }
}
