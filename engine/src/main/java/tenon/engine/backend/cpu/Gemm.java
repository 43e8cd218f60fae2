package tenon.engine.backend.cpu;

import static org.bytedeco.dnnl.global.dnnl.dnnl_sgemm;

import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Pointer;
import tenon.engine.Tensor;

/** Matrix product on oneDNN's sgemm, which needs no primitive. */
final class Gemm {
    /** A float pointer whose address can be set. */
    private static final class Address extends FloatPointer {
        Address() {
            super((Pointer) null);
        }

        Address at(long value) {
            address = value;
            return this;
        }
    }

    private final Dnnl dnnl;
    private final Address a = new Address();
    private final Address b = new Address();
    private final Address c = new Address();

    Gemm(Dnnl dnnl) {
        this.dnnl = dnnl;
    }

    void run(boolean transposeA, boolean transposeB, double alpha, Tensor left, Tensor right, double beta, Tensor out) {
        long m = out.shape().dim(0);
        long n = out.shape().dim(1);
        long k = left.shape().dim(transposeA ? 0 : 1);
        synchronized (dnnl) {
            dnnl.enter();
            Dnnl.check(
                    dnnl_sgemm(
                            (byte) (transposeA ? 'T' : 'N'),
                            (byte) (transposeB ? 'T' : 'N'),
                            m,
                            n,
                            k,
                            (float) alpha,
                            a.at(left.address()),
                            transposeA ? m : k,
                            b.at(right.address()),
                            transposeB ? k : n,
                            (float) beta,
                            c.at(out.address()),
                            n),
                    "dnnl_sgemm",
                    "gemm");
        }
    }
}
