package tenon.io.record;

import tenon.engine.TenonException;

/** A record file is damaged, of another format, or cannot be written. The message names the file and, where known, sample and key. */
public final class RecordException extends TenonException {
    private static final long serialVersionUID = 1L;

    public RecordException(String message) {
        super(message);
    }

    public RecordException(String message, Throwable cause) {
        super(message, cause);
    }
}
