package tenon.io.record;

import com.fasterxml.jackson.annotation.JsonProperty;

/** How the image bytes of every sample of a file are stored. */
public enum ImageEncoding {
    /** A whole JPEG or PNG file per sample, recognised by its first bytes, so one folder may mix both; sizes may differ. */
    @JsonProperty("encoded")
    ENCODED,
    /** Bytes 0…255 in H, W, C order, all samples of one size. */
    @JsonProperty("raw-u8")
    RAW_U8,
    /** F32, little-endian, in H, W, C order, all samples of one shape: features, [1, D, 1], rather than pictures. */
    @JsonProperty("raw-f32")
    RAW_F32
}
