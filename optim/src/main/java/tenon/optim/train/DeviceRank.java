package tenon.optim.train;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tenon.engine.DType;
import tenon.engine.Generator;
import tenon.engine.LateChecks;
import tenon.engine.Scope;
import tenon.engine.Shape;
import tenon.engine.Tensor;
import tenon.engine.autograd.LeafListener;
import tenon.engine.backend.Backend;
import tenon.engine.backend.Communicator;
import tenon.engine.data.Batch;
import tenon.layers.Parameter;

/** One device's part of {@link ParallelSteps}. Batches are put into its places by the thread that trains; everything else runs on the device's own thread. */
final class DeviceRank {
    private final StepBody body;
    private final Backend backend;
    private final Communicator communicator;
    private final BatchReading reading;
    private final List<Parameter> parameters;
    private final GradientSums sums;
    /** By number of samples: an epoch's last batch may be shorter. */
    private final Map<Integer, Place> places = new HashMap<>();

    private Form form;
    private Place place;
    private boolean added;
    private int draws;
    /** Classes that the last batch's targets choose from, 0 if they do not. */
    private int classes;

    /** Where a batch arrives. */
    private record Place(Tensor input, Tensor target) {
        int size() {
            return input.shape().dim(0);
        }
    }

    /** One sample of what batches are made of. */
    private record Form(Shape input, DType inputType, Shape target, DType targetType) {}

    DeviceRank(StepBody body, Communicator communicator) {
        this.body = body;
        this.backend = body.backend();
        this.communicator = communicator;
        parameters = body.model().parameters();
        sums = new GradientSums(body.optimizer(), communicator);
        reading = new BatchReading(backend.staging());
    }

    /** Throws unless two networks and their optimizers have the same state by name and shape, in the same order, and compute in the same precision. */
    static void requireAlike(StepBody first, StepBody further) {
        String expected = description(first);
        String given = description(further);
        if (!expected.equals(given)) {
            throw new IllegalArgumentException("trainer: a replica must be built as the trainer's network and optimizer"
                    + " were: on " + first.backend().name() + ": " + expected + ", on "
                    + further.backend().name() + ": " + given);
        }
    }

    private static String description(StepBody body) {
        Map<String, Shape> shapes = new LinkedHashMap<>();
        body.model().state().forEach((name, tensor) -> shapes.put(name, tensor.shape()));
        body.optimizer().state().forEach((name, tensor) -> shapes.put(name, tensor.shape()));
        List<String> updated =
                body.optimizer().parameters().stream().map(Parameter::name).toList();
        return body.optimizer().settings() + " of " + updated + ", "
                + body.model().precision() + " " + shapes;
    }

    int number() {
        return communicator.rank();
    }

    String communication() {
        return communicator.description();
    }

    String device() {
        return backend.name();
    }

    // ---- batches ----

    /** Says what batches are like. */
    void expect(Batch batch) {
        form = new Form(
                sample(batch.input().shape()),
                batch.input().dtype(),
                sample(batch.target().shape()),
                batch.target().dtype());
    }

    private static Shape sample(Shape batch) {
        int[] dims = new int[batch.rank() - 1];
        for (int i = 0; i < dims.length; i++) {
            dims[i] = batch.dim(i + 1);
        }
        return Shape.of(dims);
    }

    private static Shape batch(int size, Shape sample) {
        int[] dims = new int[sample.rank() + 1];
        dims[0] = size;
        for (int i = 1; i < dims.length; i++) {
            dims[i] = sample.dim(i - 1);
        }
        return Shape.of(dims);
    }

    /** Has the next batch arrive in tensors for so many samples; false where it is not known yet what batches are like. */
    boolean place(int size) {
        if (form == null) {
            return false;
        }
        place = places.computeIfAbsent(size, _ -> {
            try (var _ = Scope.openLocal("batch of a device")) {
                return new Place(
                        Tensor.empty(backend, batch(size, form.input()), form.inputType())
                                .retain(),
                        Tensor.empty(backend, batch(size, form.target()), form.targetType())
                                .retain());
            }
        });
        return true;
    }

    Tensor input() {
        return place.input();
    }

    Tensor target() {
        return place.target();
    }

    // ---- steps ----

    /** Takes over weights, buffers and the optimizer's state of rank 0, which all ranks must do. */
    void follow(DeviceRank first) {
        List<Tensor> tensors = new ArrayList<>(body.model().state().values());
        tensors.addAll(body.optimizer().state().values());
        collectively(() -> communicator.broadcast(tensors));
        body.optimizer().setStepCount(first.body.optimizer().stepCount());
    }

    /** Has those parameters frozen that rank 0 has: a callback may change that between any two steps. */
    void begin(DeviceRank first) {
        for (int i = 0; this != first && i < parameters.size(); i++) {
            parameters.get(i).setTrainable(first.parameters.get(i).trainable());
        }
        body.begin();
        sums.begin();
        added = false;
    }

    /** How gradients finish, as the last batch showed. */
    GradientBuckets buckets(long bytes) {
        return sums.buckets(bytes);
    }

    /** Whether these are buckets of the parameters that are trained now. */
    boolean fits(GradientBuckets buckets) {
        return sums.fits(buckets);
    }

    /** Adds the gradient of the batch that has arrived; the step's first {@code calls} random sequences are other batches'. */
    void add(StepId id, long seed, int calls) {
        add(id, seed, calls, sums::note);
    }

    /** The same for the step's last batch of this device; sums over all ranks begin while gradients are still computed. */
    void addAndSum(StepId id, long seed, int calls, GradientBuckets buckets) {
        collectively(() -> {
            sums.start(buckets);
            add(id, seed, calls, sums::finished);
            sums.finish();
        });
    }

    private void add(StepId id, long seed, int calls, LeafListener finished) {
        Generator generator = Generator.current();
        if (generator.seed() != seed) {
            generator.manualSeed(seed);
        }
        generator.beginStep(Math.toIntExact(id.step() - 1), calls);
        LateChecks late = backend.staging() == null ? null : LateChecks.open();
        try (late;
                var _ = Scope.open("step")) {
            body.add(
                    place.input(),
                    place.target(),
                    (double) place.size() / id.samples(),
                    shown -> {
                        classes = classes(shown.logits());
                        reading.start(shown, place.target());
                    },
                    finished);
        }
        draws = generator.calls() - calls;
        added = true;
    }

    private int classes(Tensor logits) {
        Tensor target = place.target();
        boolean indices = target.dtype() == DType.I32 && target.shape().rank() == 1;
        return indices && logits.shape().rank() == 2 ? logits.shape().dim(1) : 0;
    }

    /** The last batch's first class index out of range, of which {@link LateChecks} leave just a loss that is NaN, for people; null if there is none. */
    String badIndex() {
        long row = classes == 0 ? -1 : backend.losses().findBadIndex(place.target(), classes);
        return row < 0
                ? null
                : "class indices must lie in [0, " + classes + "): row=" + row + ", index="
                        + place.target().toIntArray()[(int) row];
    }

    /** Random sequences that the last batch took. */
    int draws() {
        return draws;
    }

    /** Of the last batch. */
    double loss() {
        return reading.loss();
    }

    void addTo(EpochMeter meter) {
        reading.addTo(meter, place.size());
    }

    /** Adds the gradients of all ranks; a device without a batch has none to add. */
    void sumGradients(GradientBuckets buckets) {
        collectively(() -> {
            if (!added) {
                parameters.stream().filter(Parameter::trainable).forEach(parameter -> {
                    parameter.value().gradBuffer().fill(0);
                    parameter.value().markGradFilled();
                });
            }
            sums.start(buckets);
            sums.finish();
        });
    }

    void update(double rate) {
        body.update(rate);
    }

    /** What others would wait for: where it fails they must not. */
    private void collectively(Runnable work) {
        try {
            work.run();
        } catch (RuntimeException | Error e) {
            communicator.abort(e);
            throw e;
        }
    }

    void close() {
        communicator.close();
        reading.close();
        places.values().forEach(each -> {
            each.input().close();
            each.target().close();
        });
    }
}
