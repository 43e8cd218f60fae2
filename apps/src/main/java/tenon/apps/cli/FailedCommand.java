package tenon.apps.cli;

import java.util.LinkedHashMap;
import java.util.Map;
import tenon.engine.TenonException;

/** A command that came to a result which is a failure: exit code 1, and {@code --json} prints the result with the message as {@code error}. */
public final class FailedCommand extends TenonException {
    private static final long serialVersionUID = 1L;

    private final transient Map<String, ?> result;

    public FailedCommand(String message, Map<String, ?> result) {
        super(message);
        this.result = result;
    }

    Map<String, ?> resultWithError() {
        Map<String, Object> all = new LinkedHashMap<>(result);
        all.put("error", getMessage());
        return all;
    }
}
