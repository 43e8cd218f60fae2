package tenon.engine.ops;

import tenon.engine.backend.Backend;
import tenon.engine.backend.cuda.CudaOptions.ConvolutionChoice;
import tenon.engine.testing.CudaTesting;

class CudaGraphConvolutionTest extends ConvolutionContract {
    @Override
    protected Backend open() {
        return CudaTesting.open(CudaTesting.options().withConvolution(ConvolutionChoice.GRAPH));
    }
}
