package tenon.io.build;

/** How an image is written into a record file. */
public enum StoreEncoding {
    /** JPEG and PNG files as they are; a JPEG file that must be changed as JPEG again, and everything else as PNG. */
    KEEP("keep"),
    JPEG("jpeg"),
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
