package tenon.optim.train;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tenon.engine.NonFiniteException;
import tenon.engine.NotCapturableException;
import tenon.engine.Scope;
import tenon.engine.Tensor;
import tenon.engine.backend.Backend;
import tenon.engine.backend.CapturedStep;
import tenon.engine.backend.Staging;
import tenon.engine.backend.StepState;
import tenon.engine.data.Batch;
import tenon.layers.Module;
import tenon.optim.Optimizer;
import tenon.optim.metrics.RankCounter;

/**
 * Records one step and lets the device repeat it, without Java and without waiting: a step's loss and ranks are read while later ones run. The first steps run eagerly,
 * so that kernels are chosen and memory is cached; so do batches of another shape than the recorded one's, and all steps where recording turns out to
 * be impossible, which is said once.
 */
final class CapturedSteps implements StepRunner {
    private static final Logger LOG = LoggerFactory.getLogger(CapturedSteps.class);
    private static final int WARM_UP = 2;
    /** Steps that may be under way before the oldest is waited for. */
    private static final int DEPTH = 3;

    private final Backend backend;
    private final Staging staging;
    private final Module model;
    private final Optimizer optimizer;
    private final Loss loss;
    private final EpochMeter meter;
    private final boolean allowNonFinite;
    private final Consumer<StepId> rollBack;
    private final EagerSteps eager;

    private int warm;
    private boolean impossible;
    private Recording recording;
    private final ArrayDeque<Pending> pending = new ArrayDeque<>(DEPTH);
    private final List<Pending> free = new ArrayList<>(DEPTH);

    /** A recorded step with the tensors that it reads and leaves. */
    private record Recording(CapturedStep step, Tensor input, Tensor target, Tensor loss, RankCounter.Reading ranks) {
        boolean fits(Batch batch) {
            return input.shape().equals(batch.input().shape())
                    && input.dtype() == batch.input().dtype()
                    && target.shape().equals(batch.target().shape())
                    && target.dtype() == batch.target().dtype();
        }

        void close() {
            input.close();
            target.close();
            loss.close();
            if (ranks != null) {
                ranks.scores().close();
                ranks.truth().close();
            }
            step.close();
        }
    }

    /** A step under way and where its results arrive. */
    private static final class Pending {
        private final Staging staging;
        private final List<Result> results = new ArrayList<>();
        private StepId id;

        Pending(Staging staging, Recording of) {
            this.staging = staging;
            results.add(new Result(of.loss(), staging));
            if (of.ranks() != null) {
                results.add(new Result(of.ranks().scores(), staging));
                results.add(new Result(of.ranks().truth(), staging));
            }
        }

        void start(StepId newId) {
            id = newId;
            for (int i = 0; i < results.size(); i++) {
                Result result = results.get(i);
                result.transfer().download(result.tensor(), result.host());
            }
        }

        void await() {
            for (int i = 0; i < results.size(); i++) {
                results.get(i).transfer().awaitOnHost();
            }
        }

        double loss() {
            return results.getFirst().host().get(ValueLayout.JAVA_FLOAT, 0);
        }

        MemorySegment host(int i) {
            return i < results.size() ? results.get(i).host() : null;
        }

        void close() {
            for (Result result : results) {
                result.transfer().close();
                staging.free(result.host());
            }
        }
    }

    /** A tensor that every replay leaves, and its way to the host. */
    private record Result(Tensor tensor, MemorySegment host, Staging.Transfer transfer) {
        Result(Tensor tensor, Staging staging) {
            this(tensor, staging.hostBuffer(tensor.byteSize()), staging.transfer());
        }
    }

    /** @param rollBack told of the step that failed, before the exception is thrown: it and those after it did not happen */
    CapturedSteps(
            Backend backend,
            Module model,
            Optimizer optimizer,
            Loss loss,
            EpochMeter meter,
            boolean allowNonFinite,
            Consumer<StepId> rollBack) {
        this.backend = backend;
        this.staging = backend.staging();
        this.model = model;
        this.optimizer = optimizer;
        this.loss = loss;
        this.meter = meter;
        this.allowNonFinite = allowNonFinite;
        this.rollBack = rollBack;
        eager = new EagerSteps(model, optimizer, loss, meter, allowNonFinite);
    }

    @Override
    public void run(Batch batch, StepId id) {
        if (recording == null && !impossible && warm >= WARM_UP) {
            record(batch, id);
        }
        if (recording == null || !recording.fits(batch)) {
            finish();
            eager.run(batch, id);
            warm++;
            return;
        }
        if (pending.size() == DEPTH) {
            read(pending.poll());
        }
        recording.input().copyFrom(batch.input());
        recording.target().copyFrom(batch.target());
        optimizer.setStepCount(optimizer.stepCount() + 1);
        recording.step().replay(state(id));
        Pending next = free.isEmpty() ? new Pending(staging, recording) : free.removeLast();
        next.start(id);
        pending.add(next);
    }

    private StepState state(StepId id) {
        return new StepState(id.rate(), Math.toIntExact(id.step() - 1), Math.toIntExact(optimizer.stepCount()));
    }

    private void record(Batch batch, StepId id) {
        long stepsBefore = optimizer.stepCount();
        Tensor input = null;
        Tensor target = null;
        Tensor[] results = new Tensor[3];
        try {
            input = likeOf(batch.input());
            target = likeOf(batch.target());
            Tensor from = input;
            Tensor truth = target;
            StepState state =
                    new StepState(id.rate(), Math.toIntExact(id.step() - 1), Math.toIntExact(stepsBefore + 1));
            CapturedStep step = backend.capture().record(state, () -> {
                model.zeroGrad();
                try (var _ = Scope.open("step")) {
                    Tensor logits = model.apply(from);
                    Tensor scalar = loss.apply(logits, truth);
                    if (!allowNonFinite) {
                        backend.capture().guard(scalar);
                    }
                    scalar.backward();
                    optimizer.step(id.rate());
                    RankCounter.Reading ranks = RankCounter.Reading.of(logits, truth);
                    results[0] = scalar.retain();
                    if (ranks != null) {
                        results[1] = ranks.scores().retain();
                        results[2] = ranks.truth().retain();
                    }
                }
            });
            RankCounter.Reading ranks = results[1] == null ? null : new RankCounter.Reading(results[1], results[2]);
            recording = new Recording(step, input, target, results[0], ranks);
            LOG.debug("trainer: recorded a step of {} samples", batch.size());
        } catch (NotCapturableException e) {
            impossible = true;
            LOG.info(
                    "trainer: steps run one operation after the other, because this one cannot be recorded: {}",
                    e.getMessage());
        } finally {
            optimizer.setStepCount(stepsBefore);
            if (recording == null) {
                close(input, target, results[0], results[1], results[2]);
            }
        }
    }

    private Tensor likeOf(Tensor tensor) {
        try (var _ = Scope.openLocal("recorded step")) {
            return Tensor.empty(backend, tensor.shape(), tensor.dtype()).retain();
        }
    }

    private static void close(Tensor... tensors) {
        for (Tensor tensor : tensors) {
            if (tensor != null) {
                tensor.close();
            }
        }
    }

    private void read(Pending step) {
        step.await();
        double value = step.loss();
        if (!Double.isFinite(value)) {
            String problem = backend.capture().problem();
            if (problem != null || !allowNonFinite) {
                fail(step, value, problem);
            }
        }
        meter.add(recording.ranks(), step.host(1), step.host(2), value, step.id.samples());
        free.add(step);
    }

    private void fail(Pending step, double value, String problem) {
        NonFiniteException failure = StepRunner.failure(step.id, value, problem);
        optimizer.setStepCount(optimizer.stepCount() - 1 - pending.size());
        free.add(step);
        close();
        rollBack.accept(step.id);
        throw failure;
    }

    @Override
    public void finish() {
        while (!pending.isEmpty()) {
            read(pending.poll());
        }
    }

    /** Forgets the recorded step; those under way are lost unless {@link #finish} came first. */
    @Override
    public void close() {
        if (recording != null) {
            backend.synchronize();
            backend.capture().clearProblem();
            pending.forEach(Pending::close);
            pending.clear();
            free.forEach(Pending::close);
            free.clear();
            recording.close();
            recording = null;
        }
    }
}
