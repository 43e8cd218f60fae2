package tenon.engine.backend.cuda;

import java.util.ArrayList;
import java.util.List;
import java.util.function.IntSupplier;
import java.util.function.ToDoubleFunction;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tenon.engine.DType;
import tenon.engine.DeviceException;
import tenon.engine.OutOfMemoryException;
import tenon.engine.TenonException;
import tenon.engine.memory.Storage;
import tenon.engine.ops.Activation;

/**
 * Finds the fastest way to compute a convolution: of all plans of the engines that the options name, with and without what own kernels can do for them, by measuring each on the operands
 * it is wanted for. The choice is remembered on disk.
 *
 * <p>A result in BF16 is rounded once, after bias and activation: without a plan that does so, operands are widened to F32.
 */
final class ConvolutionChooser implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ConvolutionChooser.class);

    private final CudaBackend backend;
    private final List<ConvolutionEngine> engines = new ArrayList<>();
    private final PlanCache cache;
    private final List<ConvolutionPlan> chosen = new ArrayList<>();
    private StreamTimer timer;
    private long measured;

    /** What the library is asked for, and with what. */
    private record Candidate(ConvolutionEngine engine, ConvolutionProblem problem, ConvolutionPlan plan) {}

    ConvolutionChooser(CudaBackend backend) {
        this.backend = backend;
        switch (backend.options.convolution()) {
            case MEASURED -> {
                engines.add(new LegacyConvolution(backend));
                engines.add(new GraphConvolution(backend));
            }
            case LEGACY -> engines.add(new LegacyConvolution(backend));
            case GRAPH -> engines.add(new GraphConvolution(backend));
        }
        cache = new PlanCache(backend.options.cache().resolve("plans"));
    }

    /** Plans that were measured, not remembered. */
    long measured() {
        return measured;
    }

    /**
     * Call it under the back-end's lock. The operands are device addresses, of which the one that the pass computes is written.
     *
     * @param whole the layer's problem
     * @throws DeviceException where cuDNN has no way at all
     */
    ConvolutionRoute choose(
            ConvolutionProblem whole,
            boolean bias,
            Activation activation,
            long image,
            long filter,
            long biasAddress,
            long result) {
        String key =
                backend.cudnn.machine() + " " + backend.options.convolution() + " " + backend.options.deterministic()
                        + " " + backend.options.workspaceLimit() + " " + whole + " " + bias + " " + activation;
        List<List<ConvolutionProblem>> tiers = tiers(whole, bias, activation);
        Candidate candidate = restore(tiers, cache.get(key));
        if (candidate == null) {
            candidate = measure(tiers, whole, bias, activation, image, filter, biasAddress, result);
            cache.put(
                    key,
                    candidate.engine.name() + " " + candidate.plan.token() + " " + number(tiers, candidate.problem));
        }
        chosen.add(candidate.plan);
        backend.cudnn.countPlan();
        return route(candidate, whole, bias, activation);
    }

    private ConvolutionRoute route(Candidate candidate, ConvolutionProblem whole, boolean bias, Activation activation) {
        return new ConvolutionRoute(backend, whole.pass(), whole, candidate.problem, bias, activation, candidate.plan);
    }

    // ---- what may be asked of the library ----

    /** Problems whose solution is the layer's, the own kernels' part added: in each list equally good ones, the later lists only where none of the earlier works. */
    private static List<List<ConvolutionProblem>> tiers(ConvolutionProblem whole, boolean bias, Activation activation) {
        ConvolutionProblem direct = whole.trimmed();
        List<List<ConvolutionProblem>> tiers = new ArrayList<>();
        for (List<ConvolutionProblem> results : results(direct, bias, activation)) {
            List<ConvolutionProblem> first = new ArrayList<>(results);
            List<ConvolutionProblem> padded =
                    results.stream().map(ConvolutionChooser::padded).toList();
            if (direct.isSymmetric()) {
                tiers.add(first);
                tiers.add(padded);
            } else {
                first.addAll(padded);
                tiers.add(first);
            }
        }
        return tiers;
    }

    private static ConvolutionProblem padded(ConvolutionProblem problem) {
        ConvolutionProblem padded = problem.padded();
        // What accumulates is the pass that crops.
        return padded.pass() == Pass.ACCUMULATE_INPUT ? padded.withPass(Pass.BACKWARD_INPUT) : padded;
    }

    private static List<List<ConvolutionProblem>> results(
            ConvolutionProblem problem, boolean bias, Activation activation) {
        boolean bf16 = problem.dtype() == DType.BF16;
        if (problem.pass() == Pass.BACKWARD_WEIGHT && bf16) {
            return List.of(List.of(problem.withComputed(DType.F32)), List.of(problem));
        }
        Activation.Kind kind = activation.kind();
        boolean relu = kind == Activation.Kind.RELU;
        if (problem.pass() != Pass.FORWARD || !bias && kind == Activation.Kind.NONE) {
            return List.of(List.of(problem));
        }
        List<ConvolutionProblem> best = new ArrayList<>();
        if (relu || kind == Activation.Kind.NONE) {
            best.add(problem.withEpilogue(bias, relu));
        }
        // A ReLU of a rounded number is the rounded ReLU.
        boolean exact = !bf16 || !bias && (relu || kind == Activation.Kind.RELU6);
        best.add(exact ? problem : problem.withComputed(DType.F32));
        return exact ? List.of(best) : List.of(best, List.of(problem.widened()));
    }

    private static int number(List<List<ConvolutionProblem>> tiers, ConvolutionProblem problem) {
        return tiers.stream().flatMap(List::stream).toList().indexOf(problem);
    }

    // ---- remembered ----

    /** @param value engine, its token, number of the problem; null where nothing is remembered */
    private Candidate restore(List<List<ConvolutionProblem>> tiers, String value) {
        String[] parts = value == null ? new String[0] : value.split(" ");
        if (parts.length != 3 || !parts[2].matches("[0-9]{1,3}")) {
            return null;
        }
        List<ConvolutionProblem> problems = tiers.stream().flatMap(List::stream).toList();
        int number = Integer.parseInt(parts[2]);
        for (ConvolutionEngine engine : engines) {
            if (engine.name().equals(parts[0]) && number < problems.size()) {
                ConvolutionPlan plan = engine.restore(problems.get(number), parts[1]);
                return plan == null ? null : new Candidate(engine, problems.get(number), plan);
            }
        }
        return null;
    }

    // ---- measured ----

    private Candidate measure(
            List<List<ConvolutionProblem>> tiers,
            ConvolutionProblem whole,
            boolean bias,
            Activation activation,
            long image,
            long filter,
            long biasAddress,
            long result) {
        // Measured on memory of its own where the pass adds to what is there.
        Storage sum = whole.pass() == Pass.ACCUMULATE_INPUT
                ? backend.allocator()
                        .allocate(whole.imageCount() * whole.dtype().byteSize())
                : null;
        try {
            long target = sum == null ? image : sum.blockAddress();
            for (List<ConvolutionProblem> tier : tiers) {
                Candidate best = fastest(tier, candidate -> {
                    ConvolutionRoute route = route(candidate, whole, bias, activation);
                    return time(candidate, () -> route.run(target, filter, biasAddress, result));
                });
                if (best != null) {
                    measured++;
                    LOG.debug("cuda: {} takes {} {}", whole, best.engine.name(), best.plan.token());
                    return best;
                }
            }
        } finally {
            if (sum != null) {
                sum.release();
            }
        }
        throw new DeviceException(TenonException.where("conv2d") + ": cuDNN " + backend.cudnn.version()
                + " has no algorithm for this convolution within the settings: " + whole + ", workspaceLimit="
                + backend.options.workspaceLimit() + ", deterministic=" + backend.options.deterministic()
                + " (raise -Dtenon.cuda.workspace.limit=BYTES, or try -Dtenon.cuda.deterministic=false)");
    }

    /** The candidate with the smallest time, null where all are infinite; the others are closed. */
    private Candidate fastest(List<ConvolutionProblem> tier, ToDoubleFunction<Candidate> timing) {
        List<Candidate> candidates = new ArrayList<>();
        Candidate best = null;
        try {
            for (ConvolutionProblem problem : tier) {
                for (ConvolutionEngine engine : engines) {
                    for (ConvolutionPlan plan : engine.plans(problem)) {
                        candidates.add(new Candidate(engine, problem, plan));
                    }
                }
            }
            double bestTime = Double.POSITIVE_INFINITY;
            for (Candidate candidate : candidates) {
                double time = timing.applyAsDouble(candidate);
                if (time < bestTime) {
                    best = candidate;
                    bestTime = time;
                }
            }
        } catch (RuntimeException e) {
            best = null;
            throw e;
        } finally {
            candidates.remove(best);
            candidates.forEach(candidate -> candidate.plan.close());
        }
        return best;
    }

    /** Milliseconds, infinite where it does not work after all. */
    private double time(Candidate candidate, IntSupplier run) {
        try {
            int status = run.getAsInt();
            if (CudnnStatus.isUnsupported(status)) {
                return Double.POSITIVE_INFINITY;
            }
            CudnnStatus.check("conv2d", "a plan of the " + candidate.engine.name() + " interface", status);
        } catch (OutOfMemoryException e) {
            LOG.debug("cuda: no memory to measure {} {}", candidate.engine.name(), candidate.plan.token(), e);
            return Double.POSITIVE_INFINITY;
        }
        if (timer == null) {
            timer = new StreamTimer(backend.compute);
        }
        return timer.fastest(run::getAsInt);
    }

    @Override
    public void close() {
        chosen.forEach(ConvolutionPlan::close);
        chosen.clear();
        engines.forEach(ConvolutionEngine::close);
        if (timer != null) {
            timer.close();
            timer = null;
        }
    }
}
