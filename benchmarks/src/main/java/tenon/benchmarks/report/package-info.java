/** Everything measured, as the tables and plots that the documentation shows. */
package tenon.benchmarks.report;
