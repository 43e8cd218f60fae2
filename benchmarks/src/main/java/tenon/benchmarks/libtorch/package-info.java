/** The suite's networks built in libtorch with the weights of Tenon's: the peer of parity tests and speed comparisons. */
package tenon.benchmarks.libtorch;
