package tenon.io.image;

/**
 * Any bytes are an image or an {@link ImageException}, and an image is what its header said. Checksums keep a fuzzer's changes to a PNG file from everything
 * behind them, so such bytes are tried a second time with right ones.
 */
public final class ImageDecodeFuzz {
    private ImageDecodeFuzz() {}

    public static void fuzzerTestOneInput(byte[] bytes) {
        decode(bytes);
        if (ImageFormat.sniff(bytes, bytes.length) == ImageFormat.PNG) {
            byte[] repaired = bytes.clone();
            ImageFiles.repairChecksums(repaired);
            decode(repaired);
        }
    }

    private static void decode(byte[] bytes) {
        try {
            ImageHeader header = ImageHeader.sniff(bytes, bytes.length, "fuzz");
            if ((long) header.width() * header.height() > 1 << 20) {
                // As large as the file deserves: decoding it would only cost the fuzzer's time.
                return;
            }
            Image image = ImageCodec.decode(bytes, bytes.length, "fuzz", 4);
            if (image.width() != header.uprightWidth() || image.height() != header.uprightHeight()) {
                throw new AssertionError(header + ", but decoded " + image.width() + "×" + image.height());
            }
        } catch (ImageException e) {
            if (!e.getMessage().startsWith("image fuzz: ")) {
                throw new AssertionError("the message must begin with the image: " + e.getMessage(), e);
            }
        }
    }
}
