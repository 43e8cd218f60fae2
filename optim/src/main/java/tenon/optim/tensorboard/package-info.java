/** TensorBoard's event files: training curves for its web page. */
package tenon.optim.tensorboard;
