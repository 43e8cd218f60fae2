package tenon.optim.train;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Iterator;
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
import tenon.engine.data.BatchIterator;
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
    private final StepBody body;
    private final Optimizer optimizer;
    private final EpochMeter meter;
    private final boolean allowNonFinite;
    private final Consumer<StepId> rollBack;
    private final EagerSteps eager;

    private int warm;
    /** Samples of the largest step so far: an epoch's short last one is not worth recording. */
    private int most;

    private boolean impossible;
    private Recording recording;
    private final ArrayDeque<Pending> pending = new ArrayDeque<>(DEPTH);
    private final List<Pending> free = new ArrayList<>(DEPTH);

    /** One batch of a recorded step: the tensors that it reads and leaves. */
    private record Part(Tensor input, Tensor target, Tensor loss, RankCounter.Reading ranks) {
        boolean fits(Batch batch) {
            return input.shape().equals(batch.input().shape())
                    && input.dtype() == batch.input().dtype()
                    && target.shape().equals(batch.target().shape())
                    && target.dtype() == batch.target().dtype();
        }

        void copyFrom(Batch batch) {
            input.copyFrom(batch.input());
            target.copyFrom(batch.target());
        }

        int size() {
            return input.shape().dim(0);
        }

        void close() {
            input.close();
            target.close();
            closeResults();
        }

        void closeResults() {
            if (loss != null) {
                loss.close();
            }
            if (ranks != null) {
                ranks.scores().close();
                ranks.truth().close();
            }
        }
    }

    private record Recording(CapturedStep step, List<Part> parts, int samples) {
        /** Batches of an epoch differ in size only where the last is short, which the number of samples tells. */
        boolean fits(StepId id) {
            return id.batches() == parts.size() && id.samples() == samples;
        }

        void close() {
            parts.forEach(Part::close);
            step.close();
        }
    }

    /** A step under way and where its results arrive. */
    private static final class Pending {
        private final List<Tensor> tensors = new ArrayList<>();
        private final List<Readback> results = new ArrayList<>();
        private final int perPart;
        private final boolean clips;
        private StepId id;

        /** @param clip what clipping leaves, or null */
        Pending(Staging staging, Recording of, Tensor clip) {
            for (Part part : of.parts()) {
                tensors.add(part.loss());
                if (part.ranks() != null) {
                    tensors.add(part.ranks().scores());
                    tensors.add(part.ranks().truth());
                }
            }
            perPart = tensors.size() / of.parts().size();
            clips = clip != null;
            if (clips) {
                tensors.add(clip);
            }
            tensors.forEach(_ -> results.add(new Readback(staging)));
        }

        void start(StepId newId) {
            id = newId;
            for (int i = 0; i < results.size(); i++) {
                results.get(i).start(tensors.get(i));
            }
        }

        void await() {
            for (int i = 0; i < results.size(); i++) {
                results.get(i).await();
            }
        }

        double loss(int part) {
            return host(part, 0).get(ValueLayout.JAVA_FLOAT, 0);
        }

        /** What a batch left: 0 the loss, 1 and 2 the ranks, null where there are none. */
        MemorySegment host(int part, int i) {
            return i < perPart ? results.get(part * perPart + i).values() : null;
        }

        /** Throws where the step's gradients could not be clipped. */
        void checkClipping() {
            if (clips) {
                MemorySegment values = results.getLast().values();
                Optimizer.checkClipping(
                        values.getAtIndex(ValueLayout.JAVA_FLOAT, 0), values.getAtIndex(ValueLayout.JAVA_FLOAT, 1));
            }
        }

        void close() {
            results.forEach(Readback::close);
        }
    }

    /** @param rollBack told of the step that failed, before the exception is thrown: it and those after it did not happen */
    CapturedSteps(Backend backend, StepBody body, EpochMeter meter, boolean allowNonFinite, Consumer<StepId> rollBack) {
        this.backend = backend;
        this.staging = backend.staging();
        this.body = body;
        this.optimizer = body.optimizer();
        this.meter = meter;
        this.allowNonFinite = allowNonFinite;
        this.rollBack = rollBack;
        eager = new EagerSteps(body, meter, allowNonFinite);
    }

    @Override
    public void run(BatchIterator batches, StepId id) {
        if (recording != null && recording.fits(id)) {
            if (pending.size() == DEPTH) {
                read(pending.poll());
            }
            for (Part part : recording.parts()) {
                batches.next(part.input(), part.target());
            }
            replay(id);
        } else if (recording == null && !impossible && warm >= WARM_UP && id.samples() >= most) {
            recordAndRun(batches, id);
        } else {
            finish();
            eager.run(batches, id);
            warm++;
            most = Math.max(most, id.samples());
        }
    }

    private void replay(StepId id) {
        optimizer.setStepCount(optimizer.stepCount() + 1);
        recording.step().replay(state(id));
        Pending next = free.isEmpty() ? new Pending(staging, recording, optimizer.clipping()) : free.removeLast();
        next.start(id);
        pending.add(next);
    }

    private StepState state(StepId id) {
        return new StepState(id.rate(), Math.toIntExact(id.step() - 1), Math.toIntExact(optimizer.stepCount()));
    }

    /** The batches are copied first, since the step is recorded, or run, on all of them. */
    private void recordAndRun(BatchIterator batches, StepId id) {
        List<Part> inputs = new ArrayList<>();
        try {
            for (int i = 0; i < id.batches(); i++) {
                Batch batch = batches.next();
                Part part = new Part(likeOf(batch.input()), likeOf(batch.target()), null, null);
                inputs.add(part);
                part.copyFrom(batch);
            }
            record(inputs, id);
            if (recording != null) {
                replay(id);
            } else {
                eager.run(new CopiedBatches(inputs), id);
            }
        } finally {
            if (recording == null) {
                inputs.forEach(Part::close);
            }
        }
    }

    private void record(List<Part> inputs, StepId id) {
        long stepsBefore = optimizer.stepCount();
        List<Part> parts = new ArrayList<>();
        try {
            StepState state =
                    new StepState(id.rate(), Math.toIntExact(id.step() - 1), Math.toIntExact(stepsBefore + 1));
            CapturedStep step = backend.capture().record(state, () -> {
                body.begin();
                for (Part part : inputs) {
                    parts.add(record(part, id));
                }
                body.update(id.rate());
            });
            recording = new Recording(step, parts, id.samples());
            LOG.debug("trainer: recorded a step of {} samples", id.samples());
        } catch (NotCapturableException e) {
            impossible = true;
            LOG.info(
                    "trainer: steps run one operation after the other, because this one cannot be recorded: {}",
                    e.getMessage());
        } finally {
            optimizer.setStepCount(stepsBefore);
            if (recording == null) {
                parts.forEach(Part::closeResults);
            }
        }
    }

    private Part record(Part part, StepId id) {
        try (var _ = Scope.open("step")) {
            StepBody.Outcome outcome =
                    body.add(part.input(), part.target(), (double) part.size() / id.samples(), shown -> {
                        if (!allowNonFinite) {
                            backend.capture().guard(shown.loss());
                        }
                    });
            RankCounter.Reading ranks = RankCounter.Reading.of(outcome.logits(), part.target());
            return new Part(
                    part.input(),
                    part.target(),
                    outcome.loss().retain(),
                    ranks == null
                            ? null
                            : new RankCounter.Reading(
                                    ranks.scores().retain(), ranks.truth().retain()));
        }
    }

    private Tensor likeOf(Tensor tensor) {
        try (var _ = Scope.openLocal("recorded step")) {
            return Tensor.empty(backend, tensor.shape(), tensor.dtype()).retain();
        }
    }

    /** Batches that were copied for a recording that did not come about. */
    private static final class CopiedBatches implements BatchIterator {
        private final Iterator<Part> parts;

        CopiedBatches(List<Part> parts) {
            this.parts = parts.iterator();
        }

        @Override
        public boolean hasNext() {
            return parts.hasNext();
        }

        @Override
        public Batch next() {
            Part part = parts.next();
            return new Batch(part.input(), part.target(), new long[part.size()]);
        }

        @Override
        public void close() {}
    }

    private void read(Pending step) {
        step.await();
        double bad = lossThatIsNotFinite(step);
        String problem = bad == 0 ? null : backend.capture().problem();
        if (bad != 0 && !allowNonFinite) {
            fail(step, StepRunner.failure(step.id, bad, problem));
        }
        try {
            step.checkClipping();
        } catch (NonFiniteException e) {
            fail(step, StepRunner.named(step.id, e));
        }
        if (problem != null) {
            fail(step, StepRunner.failure(step.id, bad, problem));
        }
        for (int i = 0; i < recording.parts().size(); i++) {
            Part part = recording.parts().get(i);
            meter.add(part.ranks(), step.host(i, 1), step.host(i, 2), step.loss(i), part.size());
        }
        free.add(step);
    }

    /** The first of a step's losses that is NaN or infinite, or 0. */
    private double lossThatIsNotFinite(Pending step) {
        for (int i = 0; i < recording.parts().size(); i++) {
            if (!Double.isFinite(step.loss(i))) {
                return step.loss(i);
            }
        }
        return 0;
    }

    private void fail(Pending step, NonFiniteException failure) {
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
