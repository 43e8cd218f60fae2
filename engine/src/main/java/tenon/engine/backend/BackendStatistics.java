package tenon.engine.backend;

/**
 * Counts of native objects created since the back-end was opened. All of them must stand still after the first training steps.
 *
 * @param primitives compiled native operations (oneDNN primitives, cuDNN plans)
 * @param descriptors memory and operation descriptors
 * @param nativeAllocations requests for memory that went to the system, scratch memory included
 */
public record BackendStatistics(long primitives, long descriptors, long nativeAllocations) {}
