package tenon.optim.train;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Future;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import tenon.engine.backend.Backend;

/**
 * Copies of a network on further devices of this machine, which train it together with the trainer's own (synchronous data parallelism). Each has a thread and a
 * scope of its own, where all that it makes lives until this is closed, on any thread.
 *
 * <pre>{@code
 * try (Replicas others = Replicas.open(List.of(second, third), () -> {
 *     Module copy = network();
 *     return new Replica(copy, optimizer(copy));
 * })) {
 *     Trainer.builder(model, optimizer, …).replicas(others).build().fit(10);
 * }
 * }</pre>
 */
public final class Replicas implements AutoCloseable {
    private final List<DeviceThread> threads = new ArrayList<>();
    private final List<Replica> replicas = new ArrayList<>();
    private boolean closed;

    private Replicas() {}

    /**
     * One per back-end, which stay the caller's.
     *
     * @param make builds network and optimizer as the trainer's were built; called on each device's thread, with the current scope on that device
     */
    public static Replicas open(List<Backend> further, Supplier<Replica> make) {
        Replicas opened = new Replicas();
        try {
            for (Backend backend : further) {
                opened.threads.add(new DeviceThread(backend));
            }
            List<Future<Replica>> made = opened.threads.stream()
                    .map(thread -> thread.start(make::get))
                    .toList();
            made.forEach(one -> opened.replicas.add(DeviceThread.await(one)));
            return opened;
        } catch (RuntimeException | Error e) {
            opened.close();
            throw e;
        }
    }

    /** Devices besides the trainer's. */
    public int size() {
        return replicas.size();
    }

    void requireOpen() {
        if (closed) {
            throw new IllegalStateException("trainer: the replicas must be open while it trains: they are closed");
        }
    }

    Replica replica(int i) {
        return replicas.get(i);
    }

    DeviceThread thread(int i) {
        return threads.get(i);
    }

    /** The networks, in the order of the back-ends. While a training runs they are its own. */
    public List<Replica> all() {
        return List.copyOf(replicas);
    }

    @Override
    public void close() {
        IntStream.range(0, threads.size()).forEach(i -> threads.get(i).close());
        threads.clear();
        closed = true;
    }
}
