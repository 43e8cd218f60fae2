package tenon.apps.firstnetwork;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;
import tenon.engine.TenonException;

class LabelBinarizerTest {
    @Test
    void threeClassesGiveOneHotRowsInAlphabeticalOrder() {
        LabelBinarizer binarizer = LabelBinarizer.fit(List.of("panda", "cats", "dogs", "cats"));
        assertThat(binarizer.classes()).containsExactly("cats", "dogs", "panda");
        assertThat(binarizer.transform(List.of("cats", "dogs", "panda")))
                .isDeepEqualTo(new float[][] {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}});
    }

    @Test
    void twoClassesGiveOneColumnAndOneHotTwo() {
        LabelBinarizer binarizer = LabelBinarizer.fit(List.of("dogs", "cats"));
        assertThat(binarizer.transform(List.of("cats", "dogs"))).isDeepEqualTo(new float[][] {{0}, {1}});
        assertThat(binarizer.oneHot(List.of("cats", "dogs"))).isDeepEqualTo(new float[][] {{1, 0}, {0, 1}});
    }

    @Test
    void rejectsALabelItWasNotFittedOn() {
        assertThatThrownBy(() -> LabelBinarizer.fit(List.of("a", "b")).transform(List.of("c")))
                .isInstanceOf(TenonException.class)
                .hasMessage("label binarizer: 'c' is none of the classes it was fitted on: [a, b]");
    }
}
