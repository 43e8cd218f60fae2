package tenon.engine.backend;

import tenon.engine.Tensor;

/** Records what a step asks of the device, to run it again with one call. */
public interface StepCapture {
    /**
     * Runs {@code step} once on this thread, records its work and computes nothing: contents of tensors are the same before and after. Tensors that the step
     * reads or writes and that were there before must stay open until the recording is closed. Memory that the step allocates belongs to the recording and stays
     * reserved until then; tensors in it that are still open may be read after each replay.
     *
     * @param state what the operations inside are given; every replay puts other values in their place
     * @throws tenon.engine.NotCapturableException when the step needs the host, and names the operation; it can run as it is
     */
    CapturedStep record(StepState state, Runnable step);

    /** Whether this thread is recording a step, so that nothing that the device computes can be read. */
    boolean isRecording();

    /**
     * To be called while a step is recorded, before its updates: they, and those of all later replays, leave everything as it is once the one-element F32 tensor is not finite
     * in a replay, until {@link #clearProblem}.
     */
    void guard(Tensor loss);

    /**
     * Why updates have been skipped since {@link #clearProblem}, as a clause, or null: a loss that was not finite under {@link #guard}, gradients whose norm was not finite
     * ({@link UpdateKernels#clipFactor}), or class indices out of range, which recorded steps cannot refuse at once. Waits for the device.
     */
    String problem();

    void clearProblem();
}
