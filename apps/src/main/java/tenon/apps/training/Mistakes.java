package tenon.apps.training;

import java.awt.image.BufferedImage;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;
import tenon.apps.data.RecordPicture;
import tenon.apps.pictures.ContactSheet;
import tenon.apps.pictures.LabelDrawing;
import tenon.io.record.Records;

/** The pictures that a network was most wrong about: those whose true class it gave the least probability, and took for another. */
final class Mistakes {
    /**
     * A picture taken for another class.
     *
     * @param sample its number in the records
     * @param predicted the likeliest class, with its probability
     * @param truth the true class, with its probability
     */
    record Mistake(int sample, Prediction predicted, Prediction truth) {}

    /** The worst first. */
    private static final Comparator<Mistake> ORDER = Comparator.<Mistake>comparingDouble(
                    mistake -> mistake.truth().probability())
            .thenComparing(mistake -> -mistake.predicted().probability())
            .thenComparing(Mistake::sample);

    private static final int MOST_COLUMNS = 8;

    private final int limit;
    private final PriorityQueue<Mistake> worst = new PriorityQueue<>(ORDER.reversed());

    /** @param limit how many are kept */
    Mistakes(int limit) {
        this.limit = limit;
    }

    void add(Mistake mistake) {
        worst.add(mistake);
        if (worst.size() > limit) {
            worst.remove();
        }
    }

    /** The worst first. */
    List<Mistake> list() {
        return worst.stream().sorted(ORDER).toList();
    }

    /** Each with what it was taken for and, in brackets, what it is. */
    BufferedImage sheet(Records records) {
        List<ContactSheet.Cell> cells = new ArrayList<>();
        for (Mistake mistake : list()) {
            cells.add(ContactSheet.Cell.judged(
                    RecordPicture.of(records, mistake.sample(), records.read(mistake.sample())),
                    text(mistake.predicted()),
                    text(mistake.truth()),
                    false));
        }
        int columns = Math.clamp((int) Math.ceil(Math.sqrt(cells.size())), 1, MOST_COLUMNS);
        return ContactSheet.draw(cells, columns, ContactSheet.Scale.EACH);
    }

    private static String text(Prediction prediction) {
        return LabelDrawing.text(prediction.name(), prediction.probability());
    }
}
