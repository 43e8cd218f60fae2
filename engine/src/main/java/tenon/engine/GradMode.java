package tenon.engine;

/**
 * Switches gradient recording for the current thread:
 *
 * <pre>{@code
 * try (var _ = GradMode.noGrad()) {
 *     logits = net.apply(images);
 * }
 * }</pre>
 */
public final class GradMode implements AutoCloseable {
    private final boolean previous;

    private GradMode(boolean enabled) {
        Context context = Context.get();
        previous = context.gradEnabled();
        context.setGradEnabled(enabled);
    }

    public static GradMode noGrad() {
        return new GradMode(false);
    }

    public static GradMode enableGrad() {
        return new GradMode(true);
    }

    @Override
    public void close() {
        Context.get().setGradEnabled(previous);
    }
}
