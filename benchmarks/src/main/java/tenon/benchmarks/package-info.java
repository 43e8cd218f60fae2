/** Kernel and network benchmarks, and comparisons with other engines. */
package tenon.benchmarks;
