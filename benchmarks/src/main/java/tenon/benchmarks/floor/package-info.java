/**
 * What a training step costs at least: the machine's roofline, and the floor of a network, which is the time that oneDNN's own primitives take for one step when
 * they run one after the other on distinct buffers. Independent of Tenon's CPU back-end, so that the two can be compared.
 */
package tenon.benchmarks.floor;
