package tenon.engine.trace;

import java.util.Locale;
import tenon.engine.Context;

/** Part of a training step. */
public enum Phase {
    FORWARD,
    BACKWARD,
    UPDATE;

    /** Of a call that the current thread has just made. */
    static Phase of(KernelCall call) {
        if (call.kernel().family().equals("updates")) {
            return UPDATE;
        }
        return Context.get().inBackward() ? BACKWARD : FORWARD;
    }

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
