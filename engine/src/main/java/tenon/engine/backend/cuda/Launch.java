package tenon.engine.backend.cuda;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import jcuda.CudaException;
import jcuda.Pointer;
import jcuda.driver.JCudaDriver;
import tenon.engine.DeviceException;
import tenon.engine.TenonException;
import tenon.engine.nativelib.CudaStatus;

/** Collects a kernel's arguments in the order of its parameters and starts it, on the compute stream unless told otherwise. Each thread has its own ({@link CudaBackend#launch}), which it reuses, so a launch makes no garbage. */
final class Launch {
    /** Threads of a block in {@link #elements}. */
    static final int THREADS = 256;

    private static final int MOST_ARGUMENTS = 64;
    /** CUDA's limit of a grid's second dimension. */
    private static final int MOST_ROWS = 65535;
    /** So many blocks per multiprocessor keep it busy until the last block ends. */
    private static final int BLOCKS_PER_MULTIPROCESSOR = 32;

    private final CudaBackend backend;
    /** Eight bytes per argument. */
    private final ByteBuffer values =
            ByteBuffer.allocateDirect(8 * MOST_ARGUMENTS).order(ByteOrder.nativeOrder());
    /** Where each argument lies, as the driver wants them. */
    private final ByteBuffer addresses =
            ByteBuffer.allocateDirect(8 * MOST_ARGUMENTS).order(ByteOrder.nativeOrder());

    private final Pointer pointer;
    private Kernel kernel;
    private Stream stream;
    private int count;

    Launch(CudaBackend backend) {
        this.backend = backend;
        long base = MemorySegment.ofBuffer(values).address();
        for (int i = 0; i < MOST_ARGUMENTS; i++) {
            addresses.putLong(8 * i, base + 8L * i);
        }
        pointer = Pointer.toBuffer(addresses);
    }

    Launch start(Kernel newKernel) {
        kernel = newKernel;
        stream = backend.compute;
        count = 0;
        return this;
    }

    Launch on(Stream other) {
        stream = other;
        return this;
    }

    /** A pointer, null where 0. */
    Launch address(long value) {
        return int64(value);
    }

    Launch int64(long value) {
        values.putLong(8 * count++, value);
        return this;
    }

    Launch int32(int value) {
        values.putInt(8 * count++, value);
        return this;
    }

    Launch float32(float value) {
        values.putFloat(8 * count++, value);
        return this;
    }

    Launch float64(double value) {
        values.putDouble(8 * count++, value);
        return this;
    }

    /** Starts enough blocks of {@value #THREADS} threads for {@code elements}, but no more than keep the device busy: kernels stride over the grid. Nothing for 0. */
    void elements(long elements) {
        long blocks = (elements + THREADS - 1) / THREADS;
        long most = (long) BLOCKS_PER_MULTIPROCESSOR * backend.context.multiprocessors();
        grid((int) Math.min(blocks, most), 1, 1, THREADS);
    }

    /** Starts blocks of {@value #THREADS} threads over the {@code width} vectors of each of {@code rows} rows: kernels stride over both. */
    void plane(long width, long rows) {
        grid(blocks(width), (int) Math.min(rows, MOST_ROWS), 1, THREADS);
    }

    /** Blocks for so many threads, as far as a grid goes. */
    static int blocks(long threads) {
        return (int) Math.min(Math.ceilDiv(threads, THREADS), Integer.MAX_VALUE);
    }

    /** Starts a grid of blocks; nothing where a dimension is 0. */
    void grid(int x, int y, int z, int threads) {
        if (x == 0 || y == 0 || z == 0) {
            return;
        }
        synchronized (backend.lock) {
            backend.enter();
            try {
                JCudaDriver.cuLaunchKernel(
                        kernel.function(), x, y, z, threads, 1, 1, 0, stream.handle(), pointer, null);
            } catch (CudaException e) {
                throw failure(x, y, z, threads, e);
            }
            backend.launched(kernel.name(), stream);
        }
    }

    private DeviceException failure(int x, int y, int z, int threads, CudaException e) {
        return new DeviceException(TenonException.where(kernel.name()) + ": the kernel was not started: grid=" + x + "x"
                + y + "x" + z + ", threads=" + threads + ", arguments=" + count + ": "
                + CudaStatus.describe(e.getMessage()));
    }
}
