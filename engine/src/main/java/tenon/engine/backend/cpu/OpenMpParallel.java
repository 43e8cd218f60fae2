package tenon.engine.backend.cpu;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;

/**
 * Runs Java kernels on oneDNN's own OpenMP threads, which call back into Java. A second pool would share the cores with OpenMP's workers, which
 * spin for milliseconds after each primitive and slow it by half; so there is only one.
 */
final class OpenMpParallel extends Parallel {
    private final OpenMp openMp;
    private final MemorySegment entry;
    private Part body;
    private int count;
    private volatile Throwable failure;

    @SuppressWarnings("restricted")
    OpenMpParallel(int threads, OpenMp openMp) {
        super(threads);
        this.openMp = openMp;
        try {
            var handle = MethodHandles.lookup()
                    .findVirtual(OpenMpParallel.class, "enter", MethodType.methodType(void.class, MemorySegment.class))
                    .bindTo(this);
            // Global: OpenMP's threads outlive every back-end, and a stub is a few hundred bytes.
            entry = Linker.nativeLinker()
                    .upcallStub(handle, FunctionDescriptor.ofVoid(ValueLayout.ADDRESS), Arena.global());
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    synchronized void runParts(int newCount, Part newBody) {
        body = newBody;
        count = newCount;
        openMp.parallel(entry, Math.min(threads(), newCount));
        body = null;
        Throwable thrown = failure;
        if (thrown != null) {
            failure = null;
            throw sneak(thrown);
        }
    }

    /** Called by every thread of the team. An exception that left it would end the JVM. */
    private void enter(MemorySegment unused) {
        try {
            int team = openMp.teamSize();
            for (int part = openMp.threadNumber(); part < count; part += team) {
                body.run(part);
            }
        } catch (Throwable e) {
            failure = e;
        }
    }

    /** Throws the worker's exception as it is; only unchecked ones can occur. */
    static RuntimeException sneak(Throwable thrown) {
        if (thrown instanceof Error error) {
            throw error;
        }
        return thrown instanceof RuntimeException e ? e : new IllegalStateException(thrown);
    }

    @Override
    public void close() {}
}
