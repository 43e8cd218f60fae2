package tenon.apps.cli;

import java.io.EOFException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import tenon.engine.TenonException;

/** Turns an exception into what a person at a terminal can act on. */
public final class ErrorMessage {
    private ErrorMessage() {}

    /** One or two lines without a stack trace. */
    public static String of(Throwable error) {
        return switch (unwrap(error)) {
            case TenonException e -> e.getMessage();
            case NoSuchFileException e -> "no such file or folder: " + e.getFile();
            case AccessDeniedException e -> "not allowed to read or write: " + e.getFile();
            case FileAlreadyExistsException e -> "exists already: " + e.getFile();
            case DirectoryNotEmptyException e -> "folder is not empty: " + e.getFile();
            case NotDirectoryException e -> "is not a folder: " + e.getFile();
            case FileSystemException e -> e.getFile() + ": " + reason(e, e.getReason());
            case EOFException e -> "a file ends too early: " + reason(e, e.getMessage());
            case OutOfMemoryError e ->
                "the Java heap is full (" + e.getMessage()
                        + "): raise it with TENON_JAVA_OPTS=-Xmx4g, or use a smaller --batch";
            case Throwable e -> {
                String name = e.getClass().getSimpleName();
                String text = e.getMessage() == null ? name : name + ": " + e.getMessage();
                yield e instanceof IOException
                        ? reason(e, e.getMessage())
                        : "unexpected error: " + text + "\nRun it again with --stacktrace to see where.";
            }
        };
    }

    private static Throwable unwrap(Throwable error) {
        Throwable inner = error;
        while (inner.getCause() != null
                && (inner instanceof UncheckedIOException
                        || inner instanceof ExecutionException
                        || inner instanceof CompletionException
                        || inner instanceof ExceptionInInitializerError)) {
            inner = inner.getCause();
        }
        return inner;
    }

    private static String reason(Throwable error, String reason) {
        return reason == null ? error.getClass().getSimpleName() : reason;
    }
}
