package tenon.apps.networks;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import tenon.engine.DType;
import tenon.engine.Generator;
import tenon.engine.Rng;
import tenon.engine.Scope;
import tenon.engine.Shape;
import tenon.engine.Tensor;
import tenon.engine.backend.BackendStatistics;
import tenon.engine.backend.cpu.CpuBackend;
import tenon.engine.memory.MemoryStatistics;
import tenon.engine.ops.Losses;
import tenon.optim.Sgd;
import tenon.optim.UpdateRules;

/** A warm training step creates no native object, takes no memory from the system and makes little garbage. */
@Tag("slow")
class SteadyStateTest {
    private static final int WARM_UP = 20;
    private static final int STEPS = 2000;
    /** By then the compiler has usually removed what does not escape; the best window counts, since it works in the background. */
    private static final int COMPILED = 1000;

    private static final int WINDOW = 100;

    private static final int BATCH = 4;

    /** MiniVGG's forward ops, as many backward rules, loss and update. */
    private static final int OPS = 60;

    private static final long GARBAGE_PER_OP = 2048;

    private final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    @Test
    void warmStepsLeaveNothingBehind() {
        Generator.current().manualSeed(11);
        try (CpuBackend backend = CpuBackend.open(2);
                var _ = Scope.open("model", backend)) {
            MiniVggNet net = new MiniVggNet(28, 28, 1, 10);
            Sgd sgd = new Sgd(net.parameters(), 0.9, false, UpdateRules.PLAIN);
            Tensor images = images();
            Tensor labels = Tensor.of(new int[] {3, 1, 4, 1}, BATCH);
            train(net, sgd, images, labels, 0, WARM_UP);
            BackendStatistics objects = backend.statistics();
            MemoryStatistics memory = backend.allocator().statistics();

            double loss = train(net, sgd, images, labels, WARM_UP, COMPILED);
            long garbage = Long.MAX_VALUE;
            for (int step = COMPILED; step < STEPS && garbage >= OPS * GARBAGE_PER_OP; step += WINDOW) {
                long before = threads.getTotalThreadAllocatedBytes();
                loss += train(net, sgd, images, labels, step, step + WINDOW);
                garbage = Math.min(garbage, (threads.getTotalThreadAllocatedBytes() - before) / WINDOW);
            }

            assertThat(loss).isFinite();
            assertThat(backend.statistics()).isEqualTo(objects);
            assertThat(objects.primitives()).isPositive();
            MemoryStatistics after = backend.allocator().statistics();
            assertThat(after.liveBytes()).isEqualTo(memory.liveBytes());
            assertThat(after.cachedBytes()).isEqualTo(memory.cachedBytes());
            System.out.println("Java garbage per training step: " + garbage + " bytes");
            assertThat(garbage).as("bytes of garbage per step").isLessThan(OPS * GARBAGE_PER_OP);
        }
    }

    /** Loss of the last step. */
    private static double train(MiniVggNet net, Sgd sgd, Tensor images, Tensor labels, int from, int to) {
        double loss = 0;
        for (int step = from; step < to; step++) {
            Generator.current().beginStep(step);
            try (var _ = Scope.open("step")) {
                Tensor mean = Losses.softmaxCrossEntropy(net.apply(images), labels);
                mean.backward();
                sgd.step(0.001);
                sgd.zeroGrad();
                loss = mean.item();
            }
        }
        return loss;
    }

    private static Tensor images() {
        Tensor images = Tensor.empty(Shape.of(BATCH, 28, 28, 1), DType.F32);
        Rng rng = new Rng(5, Rng.stream("images"), 0);
        float[] pixels = new float[(int) images.elementCount()];
        for (int i = 0; i < pixels.length; i++) {
            pixels[i] = rng.nextUniform();
        }
        images.upload(pixels);
        return images;
    }
}
