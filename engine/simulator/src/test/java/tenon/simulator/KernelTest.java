package tenon.simulator;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import tenon.simulator.Simulator.Order;

/** CUDA C++ on the host: right kernels compute what they say, wrong ones are caught and never crash or hang. */
class KernelTest {
    private static final int ILLEGAL_ADDRESS = 700;
    private static final int LAUNCH_TIMEOUT = 702;

    /** Reverses each block of 64 floats through shared memory, with or without the barrier that it needs. */
    private static final String REVERSE = """
        TENON_KERNEL(reverse, float *x) {
            __shared__ float tile[64];
            tile[threadIdx.x] = x[blockIdx.x * 64 + threadIdx.x];
            BARRIER;
            x[blockIdx.x * 64 + threadIdx.x] = tile[63 - threadIdx.x];
        }
        """;

    @AutoClose
    private final Cuda cuda = Cuda.withContext();

    private static float[] counting(int n) {
        float[] values = new float[n];
        for (int i = 0; i < n; i++) {
            values[i] = i;
        }
        return values;
    }

    private float[] reverse(String barrier) {
        long kernel = cuda.kernel(REVERSE.replace("BARRIER", barrier), "reverse");
        long x = cuda.upload(counting(256));
        assertThat(cuda.run(kernel, 4, 64, x)).isEqualTo(Cuda.SUCCESS);
        return cuda.download(x, 256);
    }

    private static float[] reversed() {
        float[] expected = new float[256];
        for (int i = 0; i < 256; i++) {
            expected[i] = i / 64 * 64 + 63 - i % 64;
        }
        return expected;
    }

    @ParameterizedTest
    @EnumSource(Order.class)
    void aCorrectKernelGivesTheSameInEveryOrder(Order order) {
        cuda.simulator.order(order);
        assertThat(reverse("__syncthreads()")).containsExactly(reversed());
        assertThat(cuda.simulator.violations()).isEmpty();
    }

    @Test
    void aMissingBarrierGivesWrongResultsWhenThreadsAreShuffled() {
        cuda.simulator.order(Order.SHUFFLED);
        assertThat(reverse("")).isNotEqualTo(reversed()).contains(Float.NaN);
    }

    /** Each of two warps tells the other its value, twice through the same place. */
    @Test
    void inDescendingOrderAWarpRunsAheadOfTheOthersAsFarAsBarriersLetIt() {
        String twice = """
            TENON_KERNEL(twice, float *x) {
                __shared__ float place[2];
                int warp = threadIdx.x / 32;
                float total = 0;
                for (int round = 1; round <= 2; round++) {
                    float v = __shfl_sync(0xFFFFFFFFu, (float)(round * (warp + 1)), 0);
                    if (threadIdx.x % 32 == 0) place[warp] = v;
                    __syncthreads();
                    total += place[1 - warp];
                    BARRIER;
                }
                x[threadIdx.x] = total;
            }
            """;
        cuda.simulator.order(Order.DESCENDING);
        long x = cuda.upload(counting(64));
        assertThat(cuda.run(cuda.kernel(twice.replace("BARRIER", "__syncthreads()"), "twice"), 1, 64, x))
                .isEqualTo(Cuda.SUCCESS);
        // The first warp sees 2 and 4, the second one 1 and 2.
        assertThat(cuda.download(x, 64)).startsWith(6).endsWith(3);
        assertThat(cuda.run(cuda.kernel(twice.replace("BARRIER", ""), "twice"), 1, 64, x))
                .isEqualTo(Cuda.SUCCESS);
        // The second warp has written 4 before the first one reads 2.
        assertThat(cuda.download(x, 64)).startsWith(8);
    }

    @ParameterizedTest
    @EnumSource(Order.class)
    void warpsExchangeValues(Order order) {
        cuda.simulator.order(order);
        long kernel = cuda.kernel("""
            TENON_KERNEL(exchange, const float *x, float *y) {
                int i = threadIdx.x;
                float v = x[i];
                y[i] = __shfl_sync(0xFFFFFFFFu, v, 3);
                y[64 + i] = __shfl_xor_sync(0xFFFFFFFFu, v, 5);
                y[128 + i] = __shfl_down_sync(0xFFFFFFFFu, v, 7);
                y[192 + i] = __shfl_up_sync(0xFFFFFFFFu, v, 2);
                y[256 + i] = __shfl_down_sync(0xFFFFFFFFu, v, 1, 8);
                y[320 + i] = __ballot_sync(0xFFFFFFFFu, i % 32 < 4);
                if (i % 2 == 0) y[384 + i] = __shfl_xor_sync(0x55555555u, v, 2);
                else y[384 + i] = __shfl_xor_sync(0xAAAAAAAAu, v, 4);
                __syncwarp();
                y[448 + i] = __any_sync(0xFFFFFFFFu, i == 40) + 2 * __all_sync(0xFFFFFFFFu, i < 32);
            }
            """, "exchange");
        long x = cuda.upload(counting(64));
        long y = cuda.allocate(4 * 512);
        assertThat(cuda.run(kernel, 1, 64, x, y))
                .as(() -> "" + cuda.simulator.violations())
                .isEqualTo(Cuda.SUCCESS);
        float[] result = cuda.download(y, 512);
        for (int i = 0; i < 64; i++) {
            int warp = i / 32 * 32;
            int lane = i % 32;
            assertThat(result[i]).isEqualTo(warp + 3);
            assertThat(result[64 + i]).isEqualTo(i ^ 5);
            assertThat(result[128 + i]).isEqualTo(lane + 7 < 32 ? i + 7 : i);
            assertThat(result[192 + i]).isEqualTo(lane < 2 ? i : i - 2);
            assertThat(result[256 + i]).isEqualTo(i % 8 == 7 ? i : i + 1);
            assertThat(result[320 + i]).isEqualTo(15);
            assertThat(result[384 + i]).isEqualTo(i % 2 == 0 ? i ^ 2 : i ^ 4);
            assertThat(result[448 + i]).isEqualTo(warp == 0 ? 2 : 1);
        }
    }

    @ParameterizedTest
    @EnumSource(Order.class)
    void atomicsCountEveryThread(Order order) {
        cuda.simulator.order(order);
        long kernel = cuda.kernel("""
            TENON_KERNEL(count, float *sum, int *numbers) {
                atomicAdd(sum, 1.0f);
                int i = blockIdx.x * blockDim.x + threadIdx.x;
                atomicAdd(numbers, i);
                atomicMax(numbers + 1, i);
                atomicMin(numbers + 2, -i);
                atomicCAS(numbers + 3, 0, 7);
                atomicOr(numbers + 4, 1 << (i & 7));
            }
            """, "count");
        long sum = cuda.upload(0);
        long numbers = cuda.upload(new float[5]);
        assertThat(cuda.run(kernel, 10, 100, sum, numbers)).isEqualTo(Cuda.SUCCESS);
        assertThat(cuda.download(sum, 1)).containsExactly(1000);
        float[] bits = cuda.download(numbers, 5);
        int[] values = new int[5];
        for (int i = 0; i < 5; i++) {
            values[i] = Float.floatToRawIntBits(bits[i]);
        }
        assertThat(values).containsExactly(999 * 1000 / 2, 999, -999, 7, 255);
    }

    @Test
    void reducingBarriersTellEveryThread() {
        long kernel = cuda.kernel("""
            TENON_KERNEL(reduce, float *y) {
                int i = threadIdx.x;
                int n = __syncthreads_count(i % 3 == 0);
                int all = __syncthreads_and(i < 96);
                int any = __syncthreads_or(i == 50);
                y[i] = n * 100 + all * 10 + any;
            }
            """, "reduce");
        long y = cuda.allocate(4 * 96);
        assertThat(cuda.run(kernel, 1, 96, y)).isEqualTo(Cuda.SUCCESS);
        assertThat(cuda.download(y, 96)).containsOnly(3211);
    }

    @Test
    void blocksAndThreadsHaveThreeDimensions() {
        long kernel = cuda.kernel("""
            TENON_KERNEL(place, int *seen) {
                int block = (blockIdx.z * gridDim.y + blockIdx.y) * gridDim.x + blockIdx.x;
                int thread = (threadIdx.z * blockDim.y + threadIdx.y) * blockDim.x + threadIdx.x;
                __syncthreads();
                atomicAdd(seen + block * blockDim.x * blockDim.y * blockDim.z + thread, 1);
            }
            """, "place");
        long seen = cuda.upload(new float[24 * 60]);
        MemorySegment parameters = cuda.arena.allocate(ValueLayout.ADDRESS);
        parameters.set(ValueLayout.ADDRESS, 0, cuda.arena.allocateFrom(ValueLayout.JAVA_LONG, seen));
        cuda.check("cuLaunchKernel", kernel, 2, 3, 4, 5, 4, 3, 0, 0L, parameters, null);
        assertThat(cuda.download(seen, 24 * 60)).containsOnly(Float.intBitsToFloat(1));
    }

    @Test
    void threadsThatReturnedAreNotWaitedFor() {
        long kernel = cuda.kernel("""
            TENON_KERNEL(some, float *y) {
                if (threadIdx.x >= 40) return;
                __syncthreads();
                float v = __shfl_xor_sync(0xFFFFFFFFu, (float)threadIdx.x, 1);
                y[threadIdx.x] = v;
            }
            """, "some");
        long y = cuda.allocate(4 * 40);
        assertThat(cuda.run(kernel, 1, 64, y)).isEqualTo(Cuda.SUCCESS);
        assertThat(cuda.download(y, 40)[37]).isEqualTo(36);
    }

    @Test
    void sharedMemoryIsFreshInEveryBlock() {
        long kernel = cuda.kernel("""
            template <int N> __device__ float look() {
                __shared__ float tile[N];
                float before = tile[threadIdx.x % N];
                tile[threadIdx.x % N] = 1;
                return before;
            }
            TENON_KERNEL(fresh, float *y) { y[blockIdx.x] = look<7>() + look<9>(); }
            """, "fresh");
        long y = cuda.allocate(4 * 16);
        assertThat(cuda.run(kernel, 16, 1, y)).isEqualTo(Cuda.SUCCESS);
        assertThat(cuda.download(y, 16)).containsOnly(Float.NaN);
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource(delimiter = '|', textBlock = """
        behind the end            | y[100] = 1;                                              | 700 | 0 bytes behind the end of allocation
        before the start          | y[-1] = 1;                                               | 700 | bytes before allocation
        across the end            | *(double *)(y + 99) = 1;                                 | 716 | is not a multiple of 8
        wild                      | *(float *)0x123456780 = 1;                               | 700 | no memory of any device
        null                      | float *p = nullptr; if (threadIdx.x < 99) *p = y[0];     | 700 | null pointer
        not aligned               | *(float4 *)(y + 1) = make_float4(1, 2, 3, 4);            | 716 | is not a multiple of 16
        outside a shared array    | __shared__ float s[8]; s[8 + threadIdx.x] = 1; y[0] = s[0]; | 700 | outside the array
        division by zero          | int n = (int)y[0]; y[0] = 7 / n;                         | 719 | division of integers by zero
        barriers in two lines     | if (threadIdx.x < 9) __syncthreads(); else\\n __syncthreads(); | 719 | in different lines
        nobody can go on          | if (threadIdx.x < 9) __syncwarp(0xFFFFFFFFu); else __syncthreads(); | 719 | nobody can go on
        lane outside its mask     | __shfl_xor_sync(0xFFFFu, y[0], 1);                        | 719 | is not in the mask
        """)
    void aWrongKernelIsCaught(String what, String body, int status, String message) {
        long kernel = cuda.kernel("TENON_KERNEL(wrong, float *y) { " + body.replace("\\n", "\n") + " }", "wrong");
        long y = cuda.upload(new float[100]);
        assertThat(cuda.run(kernel, 2, 64, y)).isEqualTo(status);
        assertThat(cuda.simulator.violations())
                .singleElement()
                .asString()
                .startsWith("kernel wrong: ")
                .contains(message);
        // As on a device, the context is of no use after that.
        assertThat(cuda.call("cuCtxSynchronize")).isEqualTo(status);
    }

    @Test
    void memoryThatWasFreedIsNotTouched() {
        long kernel = cuda.kernel("TENON_KERNEL(late, long long y) { *(float *)y = 1; }", "late");
        long y = cuda.allocate(400);
        cuda.check("cuMemFree_v2", y);
        assertThat(cuda.run(kernel, 1, 1, y)).isEqualTo(ILLEGAL_ADDRESS);
        assertThat(cuda.simulator.violations()).singleElement().asString().contains("memory that was freed");
    }

    @Test
    void pointersAreCheckedWhenTheKernelRuns() {
        cuda.simulator.streams(Simulator.Streams.LAZY);
        long kernel = cuda.kernel("TENON_KERNEL(fill, float *y) { y[threadIdx.x] = 1; }", "fill");
        long y = cuda.allocate(400);
        long stream = cuda.stream();
        assertThat(cuda.launch(kernel, 1, 100, stream, y)).isEqualTo(Cuda.SUCCESS);
        cuda.check("cuMemFree_v2", y);
        assertThat(cuda.call("cuStreamSynchronize", stream)).isEqualTo(ILLEGAL_ADDRESS);
        assertThat(cuda.simulator.violations()).singleElement().asString().contains("when it ran", "freed");
    }

    @Test
    void aLoopWithoutEndEnds() {
        long kernel = cuda.kernel("""
            TENON_KERNEL(spin, volatile int *flag) { while (*flag == 0) { } }
            """, "spin");
        cuda.simulator.accessLimit(1_000_000);
        assertThat(cuda.run(kernel, 1, 1, cuda.upload(0))).isEqualTo(LAUNCH_TIMEOUT);
        assertThat(cuda.simulator.violations()).singleElement().asString().contains("never ends");
    }

    @Test
    void errorsOfTheCompilerAreTheLog() {
        StringBuilder log = new StringBuilder();
        int status = cuda.compile("\nTENON_KERNEL(bad, float *y) { y[0] = unknown; }", "sm_90", log, null);
        assertThat(status).isEqualTo(6);
        assertThat(log.toString()).contains("test.cu:2:").contains("unknown");
    }

    @Test
    void unknownArchitecturesAreRefused() {
        StringBuilder log = new StringBuilder();
        assertThat(cuda.compile("", "sm_100", log, null)).isEqualTo(5);
        assertThat(log.toString()).contains("invalid option");
    }

    @Test
    void aBinaryForAnotherDeviceIsNotLoaded() {
        var image = new MemorySegment[1];
        assertThat(cuda.compile("TENON_KERNEL(k, int n) { }", "sm_80", new StringBuilder(), image))
                .isEqualTo(Cuda.SUCCESS);
        var module = cuda.arena.allocate(8);
        assertThat(cuda.call("cuModuleLoadData", module, image[0])).isEqualTo(209);
        assertThat(cuda.simulator.violations())
                .singleElement()
                .asString()
                .contains("compiled for sm_80, the device is 9.0");
    }

    @Test
    void launchLimitsAreTheDevices() {
        long kernel = cuda.kernel("TENON_KERNEL(k, int n) { }", "k");
        assertThat(cuda.launch(kernel, 1, 1025, 0, 1)).isEqualTo(Cuda.INVALID_VALUE);
        assertThat(cuda.launch(kernel, 0, 32, 0, 1)).isEqualTo(Cuda.INVALID_VALUE);
        assertThat(cuda.call("cuLaunchKernel", kernel, 1, 70000, 1, 32, 1, 1, 0, 0L, null, null))
                .isEqualTo(Cuda.INVALID_VALUE);
        assertThat(cuda.call("cuLaunchKernel", kernel, 1, 1, 1, 32, 1, 1, 50000, 0L, null, null))
                .isEqualTo(Cuda.INVALID_VALUE);
        assertThat(cuda.call("cuLaunchKernel", kernel, 1, 1, 1, 32, 1, 1, 0, 0L, null, null))
                .isEqualTo(Cuda.INVALID_VALUE);
        assertThat(cuda.simulator.violations()).hasSize(5);
    }
}
