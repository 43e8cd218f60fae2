package tenon.optim.train;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Future;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tenon.engine.DeviceException;
import tenon.engine.Generator;
import tenon.engine.NonFiniteException;
import tenon.engine.ShapeException;
import tenon.engine.backend.Backend;
import tenon.engine.backend.Communicator;
import tenon.engine.data.Batch;
import tenon.engine.data.BatchIterator;
import tenon.engine.data.BatchSource;
import tenon.engine.trace.TracedBackend;

/**
 * Runs each step on several devices: every device adds up the gradients of its batches, these are added over all devices, the first ones while the others are computed
 * ({@link GradientBuckets}), and each makes the same update. Batch i of
 * a step goes to device i mod devices, and its random draws are those that it has on one device.
 *
 * <p>The trainer's device is the first, and works on the calling thread; the others are made equal to it whenever an epoch begins. Nothing is updated unless all
 * devices have come that far.
 */
final class ParallelSteps implements StepRunner {
    private static final Logger LOG = LoggerFactory.getLogger(ParallelSteps.class);

    /** Gradients that are summed together, about: DDP's default, in bytes. */
    private static final long DEFAULT_BUCKET_BYTES = 25L << 20;

    private final BatchSource source;
    private final EpochMeter meter;
    private final boolean allowNonFinite;
    private final long bucketBytes = Long.getLong("tenon.bucket.bytes", DEFAULT_BUCKET_BYTES);
    private final List<DeviceThread> threads = new ArrayList<>();
    private final List<DeviceRank> ranks = new ArrayList<>();
    private boolean equal;
    /** Random sequences that a batch takes; −1 until the first one has shown it. */
    private int draws = -1;
    /** Null until a step has shown in what order gradients finish. */
    private GradientBuckets buckets;

    ParallelSteps(StepBody body, Replicas replicas, BatchSource source, EpochMeter meter, boolean allowNonFinite) {
        this.source = source;
        this.meter = meter;
        this.allowNonFinite = allowNonFinite;
        replicas.requireOpen();
        List<StepBody> bodies = new ArrayList<>(List.of(body));
        for (int i = 0; i < replicas.size(); i++) {
            Replica replica = replicas.replica(i);
            StepBody further = new StepBody(replica.model(), replica.optimizer(), body.loss());
            DeviceRank.requireAlike(body, further);
            bodies.add(further);
            threads.add(replicas.thread(i));
        }
        List<Backend> backends = bodies.stream()
                .map(each -> TracedBackend.original(each.backend()))
                .toList();
        List<Communicator> ends = backends.getFirst().communicators(backends);
        for (int i = 0; i < bodies.size(); i++) {
            ranks.add(new DeviceRank(bodies.get(i), ends.get(i)));
        }
        LOG.info(
                "trainer: gradients of {} devices are summed through {}",
                ranks.size(),
                ends.getFirst().description());
    }

    @Override
    public void run(BatchIterator batches, StepId id) {
        TrainingState.Running before = meter.state();
        boolean done = false;
        try {
            if (!equal || id.batch() == 1) {
                DeviceRank first = ranks.getFirst();
                together(ranks.size(), rank -> rank.follow(first));
                equal = true;
            }
            together(ranks.size(), rank -> rank.begin(ranks.getFirst()));
            boolean overlap = buckets != null && ranks.getFirst().fits(buckets);
            for (int first = 0; first < id.batches(); first += ranks.size()) {
                boolean last = first + ranks.size() >= id.batches();
                add(batches, id, first, overlap && last);
            }
            if (!overlap) {
                buckets = ranks.getFirst().buckets(bucketBytes);
                together(ranks.size(), rank -> rank.sumGradients(buckets));
            }
            update(id.rate());
            done = true;
        } catch (NonFiniteException e) {
            throw StepRunner.named(id, e);
        } finally {
            if (!done) {
                meter.restoreCounts(before);
            }
        }
    }

    /** The trainer's network last: where another device fails, the step has not happened to it, and the others follow it when training goes on. */
    private void update(double rate) {
        DeviceRank trainers = ranks.getFirst();
        together(ranks.size(), rank -> {
            if (rank != trainers) {
                rank.update(rate);
            }
        });
        trainers.update(rate);
    }

    /**
     * Batches {@code first} and those after it of a step, one on each device as far as there are any.
     *
     * @param sum whether gradients are summed as they finish
     */
    private void add(BatchIterator batches, StepId id, int first, boolean sum) {
        int count = Math.min(ranks.size(), id.batches() - first);
        for (int i = 0; i < count; i++) {
            take(batches, ranks.get(i), Math.min(source.batchSize(), id.samples() - (first + i) * source.batchSize()));
        }
        long seed = Generator.current().seed();
        boolean alone = draws < 0;
        if (alone) {
            DeviceRank rank = ranks.getFirst();
            rank.add(id, seed, 0);
            draws = rank.draws();
        }
        together(sum ? ranks.size() : count, rank -> {
            int calls = draws * (first + rank.number());
            if (rank.number() >= count) {
                rank.sumGradients(buckets);
            } else if (sum) {
                rank.addAndSum(id, seed, calls, buckets);
            } else if (!alone || rank != ranks.getFirst()) {
                rank.add(id, seed, calls);
            }
        });
        for (int i = 0; i < count; i++) {
            meet(ranks.get(i), id);
        }
    }

    private void take(BatchIterator batches, DeviceRank rank, int size) {
        if (rank.place(size)) {
            batches.next(rank.input(), rank.target());
            return;
        }
        Batch batch = batches.next();
        ranks.forEach(each -> each.expect(batch));
        rank.place(batch.size());
        rank.input().transferFrom(batch.input());
        rank.target().transferFrom(batch.target());
    }

    private void meet(DeviceRank rank, StepId id) {
        double loss = rank.loss();
        if (!Double.isFinite(loss)) {
            String badIndex = rank.badIndex();
            if (badIndex != null) {
                throw new ShapeException(
                        "trainer: " + StepRunner.text(id) + ", device=" + rank.device() + ": " + badIndex);
            }
            if (!allowNonFinite) {
                throw StepRunner.failure(id, loss, "device=" + rank.device());
            }
        }
        if (rank.draws() != draws) {
            throw new IllegalStateException("trainer: on several devices every batch must take as many random sequences"
                    + " as the first: first=" + draws + ", now=" + rank.draws() + ", step=" + id.step());
        }
        rank.addTo(meter);
    }

    /**
     * Has the first {@code count} devices work at the same time, and waits for all of them. Of several failures the first one is thrown that is not another's
     * consequence.
     */
    private void together(int count, Consumer<DeviceRank> work) {
        List<Future<Void>> others = new ArrayList<>();
        for (int i = 1; i < count; i++) {
            DeviceRank rank = ranks.get(i);
            others.add(threads.get(i - 1).start(() -> {
                work.accept(rank);
                return null;
            }));
        }
        Throwable[] failures = new Throwable[count];
        try {
            work.accept(ranks.getFirst());
        } catch (RuntimeException | Error e) {
            failures[0] = e;
        }
        for (int i = 1; i < count; i++) {
            try {
                DeviceThread.await(others.get(i - 1));
            } catch (RuntimeException | Error e) {
                failures[i] = e;
            }
        }
        Throwable first = firstCause(failures);
        if (first != null) {
            LOG.warn(
                    "trainer: what follows happened on {}",
                    ranks.get(Arrays.asList(failures).indexOf(first)).device());
        }
        if (first instanceof RuntimeException e) {
            throw e;
        }
        if (first instanceof Error e) {
            throw e;
        }
    }

    private static Throwable firstCause(Throwable[] failures) {
        List<Throwable> all = Arrays.asList(failures);
        Throwable consequence = null;
        for (Throwable failure : failures) {
            if (failure instanceof DeviceException && all.contains(failure.getCause()) && failure.getCause() != null) {
                consequence = failure;
            } else if (failure != null) {
                return failure;
            }
        }
        return consequence;
    }

    @Override
    public String communication() {
        return ranks.getFirst().communication();
    }

    /** Every step has been waited for as far as its numbers go. */
    @Override
    public void finish() {}

    @Override
    public void close() {
        together(ranks.size(), DeviceRank::close);
    }
}
