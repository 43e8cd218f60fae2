package tenon.engine.backend.cuda;

/** A way to compute one {@link ConvolutionProblem}, ready to run. */
interface ConvolutionPlan extends AutoCloseable {
    /** What names it to {@link ConvolutionEngine#restore}, in a few characters without spaces. */
    String token();

    long workspaceBytes();

    /**
     * Queues the work, all arguments being device addresses; the pass says which of them is written. Call it under the back-end's lock.
     *
     * @param bias 0 without
     * @return a status of cuDNN
     */
    int run(long image, long filter, long bias, long result, long workspace);

    @Override
    void close();
}
