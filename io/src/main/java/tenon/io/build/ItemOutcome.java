package tenon.io.build;

import java.io.IOException;
import tenon.io.image.ImageException;

/**
 * What to store of an item, or why it is left out.
 *
 * @param stored null when it is left out
 * @param reason null when it is stored
 */
record ItemOutcome(BuildItem item, StoredImage stored, String reason) {
    static ItemOutcome of(BuildItem item, ImageStore store) {
        try {
            return new ItemOutcome(item, store.apply(item.image().read(), item.source()), null);
        } catch (IOException e) {
            return new ItemOutcome(item, null, "cannot be read: " + e);
        } catch (ImageException e) {
            return new ItemOutcome(item, null, e.getMessage());
        }
    }

    boolean isStored() {
        return reason == null;
    }

    BuildReport.Skipped skipped() {
        return new BuildReport.Skipped(item.source(), reason);
    }
}
