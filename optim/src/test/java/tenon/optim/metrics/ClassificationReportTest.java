package tenon.optim.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import org.junit.jupiter.api.Test;
import tenon.optim.metrics.ClassificationReport.Row;

class ClassificationReportTest {
    @Test
    void averagesAreWeightedBySupport() {
        ClassificationReport report = new ClassificationReport(List.of(
                new Row("cats", 0.58, 0.50, 0.54, 236),
                new Row("dogs", 0.49, 0.50, 0.49, 236),
                new Row("panda", 0.73, 0.81, 0.77, 278)));
        assertThat(report.average().precision()).isCloseTo(0.607, within(5e-4));
        assertThat(report.average().recall()).isCloseTo(0.615, within(5e-4));
        assertThat(report.average().f1()).isCloseTo(0.610, within(5e-4));
        assertThat(report.toString().lines())
                .containsExactly(
                        "             precision    recall  f1-score   support",
                        "",
                        "       cats       0.58      0.50      0.54       236",
                        "       dogs       0.49      0.50      0.49       236",
                        "      panda       0.73      0.81      0.77       278",
                        "",
                        "avg / total       0.61      0.61      0.61       750");
    }

    /** Checked by hand: class 0 has 2 of 3 right among 3 predictions, class 1 none of 1, class 2 never occurs. */
    @Test
    void countsFromAConfusionMatrix() {
        ConfusionMatrix confusion = new ConfusionMatrix(3);
        confusion.add(0, 0);
        confusion.add(0, 0);
        confusion.add(0, 2);
        confusion.add(1, 0);
        ClassificationReport report = ClassificationReport.of(confusion, List.of("a", "b", "c"));
        assertThat(report.rows().get(0)).isEqualTo(new Row("a", 2.0 / 3, 2.0 / 3, 2.0 / 3, 3));
        assertThat(report.rows().get(1)).isEqualTo(new Row("b", 0, 0, 0, 1));
        assertThat(report.rows().get(2)).isEqualTo(new Row("c", 0, 0, 0, 0));
        assertThat(report.average().recall()).isCloseTo(0.5, within(1e-12));
        assertThat(report.average().support()).isEqualTo(4);
        assertThatThrownBy(() -> confusion.add(0, 3)).hasMessageContaining("predicted=3");
        assertThatThrownBy(() -> ClassificationReport.of(confusion, List.of("a")))
                .hasMessageContaining("names=1, classes=3");
    }
}
