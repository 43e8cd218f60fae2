package tenon.engine.memory;

/**
 * Counters of an allocator.
 *
 * @param liveBytes bytes in blocks that tensors hold
 * @param cachedBytes bytes in free blocks kept for re-use
 * @param peakLiveBytes largest {@code liveBytes} seen
 * @param nativeAllocations requests that went to the system, ever
 * @param nativeFrees blocks given back to the system, ever
 * @param allocations all requests, ever
 */
public record MemoryStatistics(
        long liveBytes,
        long cachedBytes,
        long peakLiveBytes,
        long nativeAllocations,
        long nativeFrees,
        long allocations) {}
