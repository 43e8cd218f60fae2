package tenon.io.record;

import com.fasterxml.jackson.annotation.JsonProperty;

/** What the label of every sample of a file is. */
public enum LabelKind {
    @JsonProperty("none")
    NONE,
    /** One class index, kept in the sample index. */
    @JsonProperty("class")
    CLASS,
    /** A vector of floats of one length for the whole file: multi-label targets, regression. */
    @JsonProperty("vector")
    VECTOR,
    /** Any number of boxes with classes. */
    @JsonProperty("boxes")
    BOXES
}
