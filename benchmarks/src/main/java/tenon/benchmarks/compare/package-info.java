/** What changed between two runs of a benchmark. */
package tenon.benchmarks.compare;
