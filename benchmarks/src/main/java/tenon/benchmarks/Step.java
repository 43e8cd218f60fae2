package tenon.benchmarks;

/** One step on a batch, in three parts that are called in this order, again and again. An inference step has nothing to do in the last two. */
public interface Step extends AutoCloseable {
    /** From images to the loss, or to logits. */
    void forward();

    void backward();

    /** Changes the weights and frees the step's memory; returns the loss from before the update, or NaN where there is none. */
    double update();

    @Override
    void close();
}
