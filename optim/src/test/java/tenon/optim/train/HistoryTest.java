package tenon.optim.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import org.junit.jupiter.api.Test;

class HistoryTest {
    private static final double NAN = Double.NaN;

    private static History history() {
        History history = new History();
        history.add(new EpochRecord(1, 70, 0.01, 1.1033, 0.3636, 1, 0.1 + 0.2, 0.3707, 1, 1.5));
        history.add(new EpochRecord(2, 140, 1e-7, NAN, 1.0 / 3, 1, Double.POSITIVE_INFINITY, 0.3227, 1, 0.25));
        return history;
    }

    @Test
    void comesBackFromJsonBitByBit() throws JsonProcessingException {
        String json = history().toJson().toString();
        assertThat(History.fromJson(new JsonMapper().readTree(json)).epochs())
                .isEqualTo(history().epochs());
        assertThat(json).startsWith("{\"epoch\":[1,2],\"step\":[70,140],\"rate\":[0.01,1.0E-7],\"loss\":[1.1033,null]");
    }

    @Test
    void leavesOutWhatWasNeverMeasured() {
        History history = new History();
        history.add(new EpochRecord(1, 70, 0.01, 1.1, 0.5, NAN, NAN, NAN, NAN, 1));
        assertThat(history.toJson().has("val_loss")).isFalse();
        assertThat(history.toCsv())
                .isEqualTo(
                        "epoch,step,rate,loss,acc,acc5,val_loss,val_acc,val_acc5,seconds\n1,70,0.01,1.1,0.5,,,,,1.0\n");
        assertThat(History.fromJson(history.toJson()).epochs()).isEqualTo(history.epochs());
    }

    @Test
    void forgetsLaterEpochs() {
        History history = history();
        history.truncate(5);
        assertThat(history.epochs()).hasSize(2);
        history.truncate(1);
        assertThat(history.values(Metric.STEP)).containsExactly(70);
    }

    @Test
    void refusesListsOfDifferentLength() {
        assertThatThrownBy(() -> History.fromJson(new JsonMapper().readTree("{\"epoch\":[1,2],\"loss\":[1]}")))
                .hasMessageContaining("epoch=2, loss=1");
    }
}
