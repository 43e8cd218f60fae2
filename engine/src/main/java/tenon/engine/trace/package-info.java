/** Watching what a back-end's kernels do: time, arithmetic and memory traffic per call, as text and as Chrome's trace format. */
package tenon.engine.trace;
