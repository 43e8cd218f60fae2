package tenon.io.build;

/** How an image is written into a record file. */
public enum StoreEncoding {
    /** JPEG and PNG files as they are, and whatever is no such file, or must be changed, as JPEG if it was one and as PNG otherwise. */
    KEEP("keep"),
    PNG("png"),
    /** Height·width·channels bytes, all images of one size. */
    RAW("raw");

    private final String text;

    StoreEncoding(String text) {
        this.text = text;
    }

    @Override
    public String toString() {
        return text;
    }
}
