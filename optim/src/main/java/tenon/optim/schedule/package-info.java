/** Learning rates as pure functions of the step. */
package tenon.optim.schedule;
