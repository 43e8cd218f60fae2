/** How fast training images come from record files. */
package tenon.benchmarks.loader;
