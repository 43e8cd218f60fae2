package tenon.io.build;

import java.nio.file.Path;
import java.util.List;
import tenon.io.record.RecordSchema;

/**
 * One file to be built.
 *
 * @param items consecutive ones of the split
 * @param schema with the fingerprint among its build options
 * @param fingerprint of everything that the file's contents follow from
 * @param inputBytes sizes of the items' inputs together
 * @param last whether it is the last file of its split that this build makes
 */
record Shard(
        String split,
        Path file,
        List<BuildItem> items,
        RecordSchema schema,
        String fingerprint,
        long inputBytes,
        boolean last) {}
