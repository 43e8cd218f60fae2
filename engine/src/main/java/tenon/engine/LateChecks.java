package tenon.engine;

/**
 * While it is open, operations on the current thread do not wait for a device just to refuse wrong data: there, a class index out of range makes a loss NaN, and whoever reads results finds
 * out. Where nothing has to be waited for, data is refused at once as ever.
 */
public final class LateChecks implements AutoCloseable {
    private final boolean previous;

    private LateChecks() {
        Context context = Context.get();
        previous = context.lateChecks();
        context.setLateChecks(true);
    }

    public static LateChecks open() {
        return new LateChecks();
    }

    @Override
    public void close() {
        Context.get().setLateChecks(previous);
    }
}
