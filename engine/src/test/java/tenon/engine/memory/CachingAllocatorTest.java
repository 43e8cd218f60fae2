package tenon.engine.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import tenon.engine.OutOfMemoryException;
import tenon.engine.Rng;

class CachingAllocatorTest {
    /** A system with a given number of bytes and no memory behind them. */
    private static final class Fake implements CachingAllocator.Source {
        private long left;

        Fake(long bytes) {
            left = bytes;
        }

        @Override
        public Storage allocate(Allocator owner, long byteSize) {
            if (byteSize > left) {
                return null;
            }
            left -= byteSize;
            return new Storage(owner, null, 0, byteSize);
        }

        @Override
        public void free(Storage storage) {
            left += storage.capacity();
        }

        @Override
        public String name() {
            return "fake";
        }
    }

    private static CachingAllocator unlimited() {
        return new CachingAllocator(new Fake(Long.MAX_VALUE), Long.MAX_VALUE);
    }

    @Test
    void blocksWasteAtMostOneEighth() {
        Rng rng = new Rng(1, 0, 0);
        for (int i = 0; i < 20_000; i++) {
            long size = i < 5000 ? i : (long) Math.scalb(rng.nextUniform() + 1, 6 + i % 40);
            long capacity = CachingAllocator.capacity(CachingAllocator.sizeClass(size));
            assertThat(capacity).isGreaterThanOrEqualTo(size);
            if (size >= 64) {
                assertThat((capacity - size) / (double) capacity).isLessThanOrEqualTo(0.125);
            } else {
                assertThat(capacity).isEqualTo(64);
            }
            assertThat(CachingAllocator.sizeClass(capacity)).isEqualTo(CachingAllocator.sizeClass(size));
        }
        assertThat(CachingAllocator.capacity(CachingAllocator.sizeClass(128))).isEqualTo(128);
        assertThat(CachingAllocator.capacity(CachingAllocator.sizeClass(129))).isEqualTo(144);
    }

    @Test
    void handsFreedBlocksOutAgain() {
        CachingAllocator allocator = unlimited();
        Storage a = allocator.allocate(1000);
        a.release();
        Storage b = allocator.allocate(1020);
        assertThat(b).isSameAs(a);
        Storage c = allocator.allocate(1000);
        assertThat(c).isNotSameAs(a);
        assertThat(allocator.statistics()).isEqualTo(new MemoryStatistics(2048, 0, 2048, 2, 0, 3));
        b.release();
        c.release();
        assertThat(allocator.statistics()).isEqualTo(new MemoryStatistics(0, 2048, 2048, 2, 0, 3));
        allocator.trim();
        assertThat(allocator.statistics()).isEqualTo(new MemoryStatistics(0, 0, 2048, 2, 2, 3));
    }

    @Test
    void repeatedStepsTouchTheSystemOnce() {
        CachingAllocator allocator = unlimited();
        for (int step = 0; step < 5; step++) {
            List<Storage> live = new ArrayList<>();
            for (int i = 0; i < 50; i++) {
                live.add(allocator.allocate(i * 1000L));
            }
            live.forEach(Storage::release);
        }
        assertThat(allocator.statistics().nativeAllocations()).isLessThanOrEqualTo(50);
        assertThat(allocator.statistics().allocations()).isEqualTo(250);
    }

    @Test
    void sharedBlockReturnsWithItsLastReference() {
        CachingAllocator allocator = unlimited();
        Storage storage = allocator.allocate(64);
        storage.retain();
        assertThat(storage.isShared()).isTrue();
        storage.release();
        assertThat(allocator.statistics().liveBytes()).isEqualTo(64);
        storage.release();
        assertThat(allocator.statistics().liveBytes()).isZero();
        assertThatThrownBy(storage::release)
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("storage released more often than retained");
    }

    @Test
    void emptiesItsCacheBeforeItFails() {
        CachingAllocator allocator = new CachingAllocator(new Fake(Long.MAX_VALUE), 4096);
        allocator.allocate(3072).release();
        Storage big = allocator.allocate(4096);
        assertThat(allocator.statistics()).isEqualTo(new MemoryStatistics(4096, 0, 4096, 2, 1, 2));
        assertThatThrownBy(() -> allocator.allocate(1))
                .isInstanceOf(OutOfMemoryException.class)
                .hasMessageContaining("out of memory on fake: wanted=1 bytes, live=4096, cached=0, limit=4096");
        big.release();
        allocator.allocate(4096);
    }

    @Test
    void retriesWhenTheSystemItselfIsFull() {
        CachingAllocator allocator = new CachingAllocator(new Fake(4096), Long.MAX_VALUE);
        allocator.allocate(3072).release();
        allocator.allocate(4096);
        assertThatThrownBy(() -> allocator.allocate(64))
                .isInstanceOf(OutOfMemoryException.class)
                .hasMessageContaining("live=4096, cached=0, limit=none");
    }

    @Test
    void refusesNegativeSizes() {
        assertThatThrownBy(() -> unlimited().allocate(-1))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("allocate: byteSize must be at least 0: byteSize=-1");
    }

    @Test
    void hostBlocksAreAlignedAndWritable() {
        try (CachingAllocator allocator = new CachingAllocator(new HostMemory(), Long.MAX_VALUE)) {
            List<Storage> live = new ArrayList<>();
            for (long size : new long[] {0, 1, 63, 64, 65, 72, 1000, 4097, 3 << 20}) {
                Storage storage = allocator.allocate(size);
                live.add(storage);
                assertThat(storage.address() % 64).isZero();
                assertThat(storage.segment().byteSize()).isEqualTo(storage.capacity());
                storage.segment().fill((byte) 0x5A);
            }
            live.forEach(Storage::release);
        }
    }

    @Test
    void systemRefusalIsOutOfMemory() {
        try (CachingAllocator allocator = new CachingAllocator(new HostMemory(), Long.MAX_VALUE)) {
            assertThatThrownBy(() -> allocator.allocate(1L << 60))
                    .isInstanceOf(OutOfMemoryException.class)
                    .hasMessageContaining("out of memory on cpu: wanted=1152921504606846976 bytes");
        }
    }
}
