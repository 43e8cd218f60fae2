package tenon.engine.backend.cuda;

import java.util.List;

/**
 * An interface of cuDNN to convolutions. It builds plans that keep to the back-end's settings: deterministic, strict F32 or TF32, within the workspace limit. Descriptors are built once
 * per problem.
 */
interface ConvolutionEngine extends AutoCloseable {
    /** Short name, without spaces. */
    String name();

    /** Plans for the problem, the library's best guess first and the caller's to close; empty where it has none. Some of them may still turn out to be unsupported when run. */
    List<ConvolutionPlan> plans(ConvolutionProblem problem);

    /** The plan that once had this token, or null where there is none, or none within today's settings. */
    ConvolutionPlan restore(ConvolutionProblem problem, String token);

    @Override
    void close();
}
