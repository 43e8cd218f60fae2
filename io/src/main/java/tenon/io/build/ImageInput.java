package tenon.io.build;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import tenon.io.image.Image;

/** How the image of a {@link BuildItem} is read. Used by several threads at once. */
public interface ImageInput {
    /** What {@link #read} gives. */
    sealed interface Data {}

    /** A whole image file of any format that can be decoded. */
    record Encoded(byte[] bytes) implements Data {}

    /** An image that its container holds as pixels. */
    record Pixels(Image image) implements Data {}

    /**
     * What tells the contents from other ones without reading them.
     *
     * @param byteSize bytes of the input, to estimate what will be stored
     * @param text changes when the contents do
     */
    record Stamp(long byteSize, String text) {}

    /** Reading; an IOException or {@link tenon.io.image.ImageException} leaves the sample out, a {@link BuildException} ends the build. */
    interface Reading {
        Data read() throws IOException;
    }

    Data read() throws IOException;

    Stamp stamp();

    /** A file of its own, told from others by path, size and time of change. */
    static ImageInput ofFile(Path file) {
        return new ImageInput() {
            @Override
            public Data read() throws IOException {
                return new Encoded(Files.readAllBytes(file));
            }

            @Override
            public Stamp stamp() {
                return stampOf(file);
            }
        };
    }

    /** Part of a larger file, which {@link ShardedBuild#input} names once for all its parts. */
    static ImageInput within(long byteSize, Reading reading) {
        return new ImageInput() {
            @Override
            public Data read() throws IOException {
                return reading.read();
            }

            @Override
            public Stamp stamp() {
                return new Stamp(byteSize, "");
            }
        };
    }

    static Stamp stampOf(Path file) {
        try {
            BasicFileAttributes attributes = Files.readAttributes(file, BasicFileAttributes.class);
            return new Stamp(
                    attributes.size(),
                    file + " " + attributes.size() + " "
                            + attributes.lastModifiedTime().toInstant());
        } catch (IOException _) {
            return new Stamp(0, file + " cannot be read");
        }
    }
}
