package tenon.io.build;

import java.nio.file.Path;
import tenon.io.record.Label;

/**
 * One sample to be built.
 *
 * @param key short name, unique in its split
 * @param source where the sample comes from; stands in the record, in messages and in the report of what was left out
 * @param image how its image is read
 * @param label of the kind that {@link ShardedBuild#labels} announces
 */
public record BuildItem(String key, String source, ImageInput image, Label label) {
    /** A sample whose image is a file of its own. */
    public static BuildItem ofFile(String key, Path file, Label label) {
        return new BuildItem(key, file.toString(), ImageInput.ofFile(file), label);
    }
}
