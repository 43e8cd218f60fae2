package tenon.optim.metrics;

/**
 * A network measured over a data set.
 *
 * @param samples how many
 * @param loss mean over the samples
 * @param rank1 share whose best class is the true one; NaN where there are no classes
 * @param rank5 share whose true class is among the best min(5, classes); NaN where there are no classes
 * @param confusion null where there are no classes
 */
public record Evaluation(long samples, double loss, double rank1, double rank5, ConfusionMatrix confusion) {}
