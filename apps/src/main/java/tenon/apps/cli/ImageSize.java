package tenon.apps.cli;

import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Height, width and channels as typed on a command line: {@code 64x64x3}, or {@code 64x64} for colour. */
public record ImageSize(int height, int width, int channels) {
    private static final Pattern FORM = Pattern.compile("(\\d{1,5})x(\\d{1,5})(?:x([13]))?");

    /** As typed, always with channels. */
    @Override
    public String toString() {
        return height + "x" + width + "x" + channels;
    }

    /** Reads the form above; found by picocli through {@link Interpreter}. */
    static final class Converter implements ITypeConverter<ImageSize> {
        @Override
        public ImageSize convert(String text) {
            Matcher matcher = FORM.matcher(text);
            if (!matcher.matches()
                    || Integer.parseInt(matcher.group(1)) < 1
                    || Integer.parseInt(matcher.group(2)) < 1) {
                throw new TypeConversionException("'" + text
                        + "' is not HEIGHTxWIDTHxCHANNELS with 1 or 3 channels, e.g. 64x64x3 (or 64x64 for colour)");
            }
            return new ImageSize(
                    Integer.parseInt(matcher.group(1)),
                    Integer.parseInt(matcher.group(2)),
                    matcher.group(3) == null ? 3 : Integer.parseInt(matcher.group(3)));
        }
    }
}
