package tenon.engine.memory;

/**
 * A back-end's own arrangement of a storage's contents, and copies derived from them: weights in the order that a kernel wants, say. Whoever asks the
 * storage for its memory gets the plain contents back first, and because he may write, the copies count as out of date from then on. Only the
 * back-end that attached the form looks behind it, with {@link Storage#block}.
 */
public interface PrivateForm {
    /** Makes the storage's block hold the plain contents, and distrusts all copies. Safe for use by several threads. */
    void restore();

    /** True while the storage's block holds the plain contents: then it may be read as it is. */
    boolean isPlain();

    /** Frees what the form holds besides the storage's own block. */
    void release();
}
