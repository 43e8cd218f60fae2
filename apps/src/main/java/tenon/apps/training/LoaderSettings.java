package tenon.apps.training;

import java.util.Locale;
import tenon.apps.cli.UsageException;
import tenon.io.data.OnError;
import tenon.io.data.RecordBatchSource;
import tenon.io.data.Shuffle;
import tenon.io.jpeg.JpegLibrary;

/**
 * How training pictures are read: {@link LoaderOptions} as a value, which a run's folder keeps.
 *
 * @param workers threads, 0 for the loader's own choice
 * @param onError {@code stop} or {@code skip}
 * @param decoder of JPEG pictures, {@code auto} or as {@link JpegLibrary} calls it
 * @param shuffleSegment pictures per segment of a segment-wise shuffle, 0 for a full one
 * @param shuffleWindow segments that are mixed with each other
 */
public record LoaderSettings(int workers, String onError, String decoder, int shuffleSegment, int shuffleWindow) {
    /** What commands without options of their own use. */
    public static final LoaderSettings DEFAULT = new LoaderSettings(0, "stop", "auto", 0, 1);

    public LoaderSettings {
        if (workers < 0) {
            throw new UsageException("--workers must be at least 0: " + workers);
        }
        if (shuffleSegment < 0 || shuffleWindow < 1) {
            throw new UsageException("--shuffle-segment must be at least 0 and --shuffle-window at least 1: "
                    + shuffleSegment + ", " + shuffleWindow);
        }
    }

    /** Of training pictures. */
    Shuffle shuffle() {
        return shuffleSegment == 0 ? Shuffle.FULL : Shuffle.segments(shuffleSegment, shuffleWindow);
    }

    /** The decoder as this machine has it. */
    JpegLibrary library() {
        return JpegLibrary.named(decoder);
    }

    RecordBatchSource.Builder apply(RecordBatchSource.Builder source) {
        if (workers > 0) {
            source.threads(workers);
        }
        return source.onError(OnError.valueOf(onError.toUpperCase(Locale.ROOT))).decoder(library());
    }
}
