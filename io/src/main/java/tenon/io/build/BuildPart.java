package tenon.io.build;

/**
 * A share of a build: part 2 of 4 makes the second quarter of the shards, so that four machines make them all.
 *
 * @param number from 1
 */
public record BuildPart(int number, int count) {
    public static final BuildPart WHOLE = new BuildPart(1, 1);

    public BuildPart {
        if (count < 1 || number < 1 || number > count) {
            throw new BuildException("build part: must be i/n with 1 <= i <= n: given=" + number + "/" + count);
        }
    }

    public boolean isWhole() {
        return count == 1;
    }

    /** Where this part begins among {@code units} things; the next part begins where it ends. */
    long start(long units) {
        return (number - 1) * units / count;
    }

    long end(long units) {
        return number * units / count;
    }
}
