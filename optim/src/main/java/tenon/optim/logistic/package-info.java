/** Logistic regression on fixed features: a convex problem, solved to its minimum instead of trained by steps. */
package tenon.optim.logistic;
