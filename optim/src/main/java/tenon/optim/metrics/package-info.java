/** What reports say about a classifier: ranks, confusion, precision and recall. */
package tenon.optim.metrics;
