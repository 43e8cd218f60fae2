/** Batches: from record files with prefetching threads, or from arrays. */
package tenon.io.data;
