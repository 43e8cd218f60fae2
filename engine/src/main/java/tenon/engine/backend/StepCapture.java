package tenon.engine.backend;

/** Records what a step asks of the device, to run it again with one call. */
public interface StepCapture {
    /**
     * Runs {@code step} once on this thread, records its work and computes nothing: contents of tensors are the same before and after. Tensors that the step reads
     * or writes and that were there before must stay open, and at their place, until the recording is closed. Memory that the step allocates belongs to the recording and stays
     * reserved until then; tensors in it that are still open may be read after each replay.
     *
     * @param state of the recording; its rate and step are what operations inside were given
     * @throws tenon.engine.NotCapturableException when the step needs the host, and names the operation; the step can run as it is
     */
    CapturedStep record(StepState state, Runnable step);
}
