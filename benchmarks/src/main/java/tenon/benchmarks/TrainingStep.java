package tenon.benchmarks;

/** One training step on a batch, in three parts that are called in this order, again and again. */
public interface TrainingStep extends AutoCloseable {
    /** From images to loss. */
    void forward();

    void backward();

    /** Changes the weights and frees the step's memory; returns the loss from before the update. */
    double update();

    @Override
    void close();
}
