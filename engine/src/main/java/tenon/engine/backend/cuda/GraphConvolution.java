package tenon.engine.backend.cuda;

import static jcuda.jcudnn.cudnnBackendAttributeName.*;
import static jcuda.jcudnn.cudnnBackendAttributeType.*;
import static jcuda.jcudnn.cudnnBackendDescriptorType.*;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import jcuda.jcudnn.cudnnBackendNumericalNote;
import jcuda.jcudnn.cudnnHandle;
import tenon.engine.DType;
import tenon.engine.DeviceException;

/**
 * The graph interface ({@code cudnnBackend…}): engines for the whole of convolution, bias and ReLU, for gradients of F32 weights from BF16 operands, and for unequal padding, where this
 * GPU has them. Engines are taken in the order of the library's heuristics, without those whose numerical notes the settings forbid.
 */
final class GraphConvolution implements ConvolutionEngine {
    /** Modes of the heuristics that JCudnn's classes do not name: the guesses, and what works always. */
    private static final int[] MODES = {3, 2};
    /** Most plans of a problem. */
    private static final int MOST_PLANS = 6;
    /** Most numerical notes of an engine. */
    private static final int MOST_NOTES = 16;
    /** Sets of arguments that a plan keeps: cuDNN allows no change of one. */
    private static final int ARGUMENTS = 8;

    private final CudaBackend backend;
    private final Map<ConvolutionProblem, OperationGraph> graphs = new HashMap<>();

    GraphConvolution(CudaBackend backend) {
        this.backend = backend;
    }

    @Override
    public String name() {
        return "graph";
    }

    @Override
    public List<ConvolutionPlan> plans(ConvolutionProblem problem) {
        List<ConvolutionPlan> plans = new ArrayList<>();
        OperationGraph graph = graph(problem);
        for (int mode : MODES) {
            if (graph.isSupported() && plans.isEmpty()) {
                addPlans(plans, problem, graph, mode);
            }
        }
        return plans;
    }

    private OperationGraph graph(ConvolutionProblem problem) {
        return graphs.computeIfAbsent(problem, key -> new OperationGraph(backend.cudnn, key));
    }

    private void addPlans(List<ConvolutionPlan> plans, ConvolutionProblem problem, OperationGraph graph, int mode) {
        try (GraphDescriptor heuristics = create(CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR)
                .descriptors(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, graph.descriptor())
                .enumerated(CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_TYPE_HEUR_MODE, mode)) {
            int status = heuristics.tryReady();
            if (CudnnStatus.isUnsupported(status)) {
                return;
            }
            CudnnStatus.check("conv2d", "cudnnBackendFinalize of the heuristics", status);
            GraphDescriptor[] configurations =
                    create(CUDNN_BACKEND_ENGINECFG_DESCRIPTOR, heuristics.count(CUDNN_ATTR_ENGINEHEUR_RESULTS));
            try {
                heuristics.read(CUDNN_ATTR_ENGINEHEUR_RESULTS, configurations);
                for (GraphDescriptor configuration : configurations) {
                    ConvolutionPlan plan =
                            plans.size() < MOST_PLANS ? plan(problem, configuration, List.of(configuration)) : null;
                    if (plan == null) {
                        configuration.close();
                    } else {
                        plans.add(plan);
                    }
                }
            } catch (DeviceException e) {
                plans.forEach(ConvolutionPlan::close);
                close(configurations);
                throw e;
            }
        }
    }

    private GraphDescriptor[] create(int type, int count) {
        GraphDescriptor[] created = new GraphDescriptor[count];
        try {
            Arrays.setAll(created, _ -> create(type));
        } catch (DeviceException e) {
            close(created);
            throw e;
        }
        return created;
    }

    private static void close(GraphDescriptor[] descriptors) {
        for (GraphDescriptor descriptor : descriptors) {
            if (descriptor != null) {
                descriptor.close();
            }
        }
    }

    private GraphDescriptor create(int type) {
        return new GraphDescriptor(backend.cudnn, type);
    }

    /**
     * @param owned what the plan closes with itself
     * @return null where the settings do not allow it, or it turns out not to work here; then they are still the caller's
     */
    private Plan plan(ConvolutionProblem problem, GraphDescriptor configuration, List<GraphDescriptor> owned) {
        String token;
        try (GraphDescriptor engine = create(CUDNN_BACKEND_ENGINE_DESCRIPTOR)) {
            configuration.read(CUDNN_ATTR_ENGINECFG_ENGINE, engine);
            if (!isAllowed(problem, engine)) {
                return null;
            }
            token = token(engine, configuration);
        }
        GraphDescriptor plan = create(CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR)
                .handle(CUDNN_ATTR_EXECUTION_PLAN_HANDLE, backend.cudnn)
                .descriptors(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, configuration);
        int status = plan.tryReady();
        if (status != CudnnStatus.SUCCESS) {
            plan.close();
            if (CudnnStatus.isUnsupported(status)) {
                return null;
            }
            CudnnStatus.check("conv2d", "cudnnBackendFinalize of an execution plan", status);
        }
        long workspaceBytes;
        try {
            workspaceBytes = plan.int64(CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE);
        } catch (DeviceException e) {
            plan.close();
            throw e;
        }
        if (workspaceBytes > backend.options.workspaceLimit()) {
            plan.close();
            return null;
        }
        return new Plan(problem, owned, plan, token, workspaceBytes);
    }

    private boolean isAllowed(ConvolutionProblem problem, GraphDescriptor engine) {
        boolean strict = problem.dtype() == DType.F32 && !problem.tf32();
        for (int note : engine.enumeratedSet(CUDNN_ATTR_ENGINE_NUMERICAL_NOTE, CUDNN_TYPE_NUMERICAL_NOTE, MOST_NOTES)) {
            boolean forbidden = switch (note) {
                case cudnnBackendNumericalNote.CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC -> backend.options.deterministic();
                case cudnnBackendNumericalNote.CUDNN_NUMERICAL_NOTE_TENSOR_CORE -> strict;
                case cudnnBackendNumericalNote.CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS,
                        cudnnBackendNumericalNote.CUDNN_NUMERICAL_NOTE_REDUCED_PRECISION_REDUCTION -> true;
                default -> false;
            };
            if (forbidden) {
                return false;
            }
        }
        return true;
    }

    // ---- names of engine configurations: engine;knob=choice;knob=choice ----

    private String token(GraphDescriptor engine, GraphDescriptor configuration) {
        StringBuilder token = new StringBuilder().append(engine.int64(CUDNN_ATTR_ENGINE_GLOBAL_INDEX));
        GraphDescriptor[] choices =
                create(CUDNN_BACKEND_KNOB_CHOICE_DESCRIPTOR, configuration.count(CUDNN_ATTR_ENGINECFG_KNOB_CHOICES));
        try {
            configuration.read(CUDNN_ATTR_ENGINECFG_KNOB_CHOICES, choices);
            for (GraphDescriptor choice : choices) {
                token.append(';')
                        .append(choice.enumerated(CUDNN_ATTR_KNOB_CHOICE_KNOB_TYPE, CUDNN_TYPE_KNOB_TYPE))
                        .append('=')
                        .append(choice.int64(CUDNN_ATTR_KNOB_CHOICE_KNOB_VALUE));
            }
        } finally {
            close(choices);
        }
        return token.toString();
    }

    @Override
    public ConvolutionPlan restore(ConvolutionProblem problem, String token) {
        OperationGraph graph = graph(problem);
        if (!graph.isSupported()) {
            return null;
        }
        List<GraphDescriptor> owned = new ArrayList<>();
        Plan plan = null;
        try {
            plan = plan(problem, configuration(graph, token.split(";"), owned), owned);
            return plan;
        } catch (DeviceException | NumberFormatException | ArrayIndexOutOfBoundsException e) {
            // Another cuDNN wrote it, or a hand did.
            return null;
        } finally {
            if (plan == null) {
                owned.reversed().forEach(GraphDescriptor::close);
            }
        }
    }

    /** @param owned out: all that was created, the configuration last */
    private GraphDescriptor configuration(OperationGraph graph, String[] token, List<GraphDescriptor> owned) {
        GraphDescriptor engine = create(CUDNN_BACKEND_ENGINE_DESCRIPTOR);
        owned.add(engine);
        engine.descriptors(CUDNN_ATTR_ENGINE_OPERATION_GRAPH, graph.descriptor())
                .int64(CUDNN_ATTR_ENGINE_GLOBAL_INDEX, Long.parseLong(token[0]))
                .ready();
        GraphDescriptor[] choices = new GraphDescriptor[token.length - 1];
        for (int i = 0; i < choices.length; i++) {
            String[] knob = token[i + 1].split("=");
            choices[i] = create(CUDNN_BACKEND_KNOB_CHOICE_DESCRIPTOR);
            owned.add(choices[i]);
            choices[i]
                    .enumerated(CUDNN_ATTR_KNOB_CHOICE_KNOB_TYPE, CUDNN_TYPE_KNOB_TYPE, Integer.parseInt(knob[0]))
                    .int64(CUDNN_ATTR_KNOB_CHOICE_KNOB_VALUE, Long.parseLong(knob[1]))
                    .ready();
        }
        GraphDescriptor configuration = create(CUDNN_BACKEND_ENGINECFG_DESCRIPTOR);
        owned.add(configuration);
        configuration.descriptors(CUDNN_ATTR_ENGINECFG_ENGINE, engine);
        if (choices.length > 0) {
            configuration.descriptors(CUDNN_ATTR_ENGINECFG_KNOB_CHOICES, choices);
        }
        return configuration.ready();
    }

    @Override
    public void close() {
        graphs.values().forEach(OperationGraph::close);
        graphs.clear();
    }

    private final class Plan implements ConvolutionPlan {
        private final boolean bias;
        private final List<GraphDescriptor> owned;
        private final GraphDescriptor plan;
        private final String token;
        private final long workspaceBytes;
        private final long[][] addresses = new long[ARGUMENTS][];
        private final GraphDescriptor[] arguments = new GraphDescriptor[ARGUMENTS];
        private int oldest;

        Plan(
                ConvolutionProblem problem,
                List<GraphDescriptor> owned,
                GraphDescriptor plan,
                String token,
                long workspaceBytes) {
            bias = problem.bias();
            this.owned = owned;
            this.plan = plan;
            this.token = token;
            this.workspaceBytes = workspaceBytes;
        }

        @Override
        public String token() {
            return token;
        }

        @Override
        public long workspaceBytes() {
            return workspaceBytes;
        }

        @Override
        public int run(long image, long filter, long bias, long result, long workspace) {
            cudnnHandle handle = backend.cudnn.get();
            return plan.execute(handle, arguments(image, filter, bias, result, workspace));
        }

        /** Memory comes from a cache, so that training steps use the same addresses again and again. */
        private GraphDescriptor arguments(long image, long filter, long bias, long result, long workspace) {
            for (int i = 0; i < ARGUMENTS; i++) {
                long[] known = addresses[i];
                if (known != null
                        && known[0] == image
                        && known[1] == filter
                        && known[2] == bias
                        && known[3] == result
                        && known[4] == workspace) {
                    return arguments[i];
                }
            }
            GraphDescriptor pack = create(CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR);
            if (this.bias) {
                pack.int64(
                                CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS,
                                OperationGraph.IMAGE,
                                OperationGraph.FILTER,
                                OperationGraph.RESULT,
                                OperationGraph.BIAS)
                        .addresses(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, image, filter, result, bias);
            } else {
                pack.int64(
                                CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS,
                                OperationGraph.IMAGE,
                                OperationGraph.FILTER,
                                OperationGraph.RESULT)
                        .addresses(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, image, filter, result);
            }
            pack.addresses(CUDNN_ATTR_VARIANT_PACK_WORKSPACE, workspace).ready();
            if (arguments[oldest] != null) {
                arguments[oldest].close();
            }
            arguments[oldest] = pack;
            addresses[oldest] = new long[] {image, filter, bias, result, workspace};
            oldest = (oldest + 1) % ARGUMENTS;
            return pack;
        }

        @Override
        public void close() {
            for (GraphDescriptor pack : arguments) {
                if (pack != null) {
                    pack.close();
                }
            }
            plan.close();
            owned.reversed().forEach(GraphDescriptor::close);
        }
    }
}
