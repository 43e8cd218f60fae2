package tenon.io.build;

import java.util.List;

/**
 * A finished file.
 *
 * @param skipped items that are left out of it
 * @param kept whether an earlier build had made it
 */
record ShardResult(String split, long sampleCount, List<BuildReport.Skipped> skipped, boolean kept) {}
