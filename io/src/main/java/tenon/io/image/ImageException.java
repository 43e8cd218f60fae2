package tenon.io.image;

import tenon.engine.TenonException;

/** A file is not an image, or not one that can be decoded. */
public final class ImageException extends TenonException {
    private static final long serialVersionUID = 1L;

    public ImageException(String message) {
        super(message);
    }

    public ImageException(String message, Throwable cause) {
        super(message, cause);
    }
}
