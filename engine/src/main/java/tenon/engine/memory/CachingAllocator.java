package tenon.engine.memory;

import java.util.ArrayDeque;
import tenon.engine.OutOfMemoryException;
import tenon.engine.TenonException;

/**
 * Keeps freed blocks by size class and hands them out again, so a training step after the first touches no fresh page.
 *
 * <p>Size classes: eight per power of two, at least 64 bytes, so at most 12.5 % of a block is padding. A request that exceeds the limit empties
 * the cache once and tries again before it fails.
 */
public final class CachingAllocator implements Allocator {
    private static final int STEPS = 8;
    private static final long SMALLEST = 64;

    /** The system's side: real memory of some device. */
    public interface Source {
        /** A new block of exactly {@code byteSize} bytes, or null when the system has none. */
        Storage allocate(Allocator owner, long byteSize);

        void free(Storage storage);

        /** Name for messages, e.g. {@code cpu}. */
        String name();

        /** What a message about exhausted memory says further about the system, beginning with a comma; or nothing. */
        default String situation() {
            return "";
        }

        /** Whether freed blocks are kept and used again; otherwise each request gets a block of its own, of exactly its size. */
        default boolean cached() {
            return true;
        }

        /** The system property that limits the memory. */
        default String limitProperty() {
            return "tenon.memory.limit";
        }
    }

    private final Source source;
    private final long limitBytes;
    private final ArrayDeque<?>[] cache = new ArrayDeque<?>[64 * STEPS];
    private long liveBytes;
    private long cachedBytes;
    private long peakLiveBytes;
    private long nativeAllocations;
    private long nativeFrees;
    private long allocations;
    private boolean closed;

    /** @param limitBytes most bytes held from the system at any time, live and cached together */
    public CachingAllocator(Source source, long limitBytes) {
        this.source = source;
        this.limitBytes = limitBytes;
    }

    @Override
    public synchronized Storage allocate(long byteSize) {
        if (byteSize < 0) {
            throw new IllegalArgumentException("allocate: byteSize must be at least 0: byteSize=" + byteSize);
        }
        allocations++;
        Storage storage = source.cached() ? fromCache(byteSize) : allocateNative(byteSize, Math.max(1, byteSize));
        liveBytes += storage.capacity();
        peakLiveBytes = Math.max(peakLiveBytes, liveBytes);
        storage.references = 1;
        return storage;
    }

    private Storage fromCache(long byteSize) {
        int sizeClass = sizeClass(byteSize);
        ArrayDeque<Storage> free = list(sizeClass);
        Storage storage = free == null ? null : free.pollLast();
        if (storage == null) {
            return allocateNative(byteSize, capacity(sizeClass));
        }
        cachedBytes -= storage.capacity();
        return storage;
    }

    private Storage allocateNative(long wanted, long capacity) {
        if (capacity > limitBytes - liveBytes - cachedBytes) {
            trim();
        }
        Storage storage = capacity > limitBytes - liveBytes ? null : source.allocate(this, capacity);
        if (storage == null && cachedBytes > 0) {
            trim();
            storage = source.allocate(this, capacity);
        }
        if (storage == null) {
            throw new OutOfMemoryException(
                    TenonException.where("allocate") + ": out of memory on " + source.name() + ": wanted=" + wanted
                            + " bytes, live=" + liveBytes + ", cached=" + cachedBytes + ", limit="
                            + (limitBytes == Long.MAX_VALUE ? "none" : limitBytes) + source.situation()
                            + " (use a smaller batch, close tensors earlier, or raise the limit with -D"
                            + source.limitProperty() + "=BYTES)");
        }
        nativeAllocations++;
        return storage;
    }

    @Override
    public synchronized void free(Storage storage) {
        liveBytes -= storage.capacity();
        if (!source.cached()) {
            nativeFrees++;
            source.free(storage);
            return;
        }
        int sizeClass = sizeClass(storage.capacity());
        ArrayDeque<Storage> free = list(sizeClass);
        if (free == null) {
            free = new ArrayDeque<>();
            cache[sizeClass] = free;
        }
        free.addLast(storage);
        cachedBytes += storage.capacity();
        if (closed) {
            trim();
        }
    }

    @Override
    public synchronized void trim() {
        for (int i = 0; i < cache.length; i++) {
            ArrayDeque<Storage> free = list(i);
            while (free != null && !free.isEmpty()) {
                Storage storage = free.pollLast();
                cachedBytes -= storage.capacity();
                nativeFrees++;
                source.free(storage);
            }
        }
    }

    @Override
    public synchronized MemoryStatistics statistics() {
        return new MemoryStatistics(liveBytes, cachedBytes, peakLiveBytes, nativeAllocations, nativeFrees, allocations);
    }

    @Override
    public synchronized void close() {
        closed = true;
        trim();
    }

    @SuppressWarnings("unchecked")
    private ArrayDeque<Storage> list(int sizeClass) {
        return (ArrayDeque<Storage>) cache[sizeClass];
    }

    /** Index of the smallest class that holds {@code byteSize}: class {@code 8·k + s} holds {@code 64·2^k·(1 + s/8)} bytes. */
    static int sizeClass(long byteSize) {
        long units = Math.max(byteSize, SMALLEST);
        int octave = 63 - Long.numberOfLeadingZeros(units / SMALLEST);
        long base = SMALLEST << octave;
        long step = base / STEPS;
        int s = (int) ((units - base + step - 1) / step);
        return octave * STEPS + s;
    }

    static long capacity(int sizeClass) {
        long base = SMALLEST << (sizeClass / STEPS);
        return base + base / STEPS * (sizeClass % STEPS);
    }
}
