/**
 * Optimizers: {@link tenon.optim.Sgd}, {@link tenon.optim.Adam}, {@link tenon.optim.RmsProp}. Learning rates are in {@code schedule}, the training loop
 * in {@code train}, tensors in files in {@code checkpoint}, reports in {@code metrics}.
 */
package tenon.optim;
