/** Training and inference steps of whole networks, here and in libtorch, each measured in a process of its own. */
package tenon.benchmarks.networks;
