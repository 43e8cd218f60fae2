package tenon.apps.pretrained;

import tenon.apps.cli.UsageException;
import tenon.apps.training.Augmentation;
import tenon.apps.training.Scaling;
import tenon.io.data.Normalization;
import tenon.io.record.RecordSchema;

/**
 * How pictures are prepared for imported weights: as their authors did, where the names tell it and nothing else is asked for.
 *
 * @param view the preset that says how pictures are cut
 */
record Preparation(Augmentation view, Normalization normalization) {
    /**
     * @param names of the file, for messages
     * @param preset wanted, or null
     * @param scaling wanted, or null
     * @param records header of the data set's records, or null
     * @param howToGiveRecords ends a message
     */
    static Preparation of(
            MapSettings settings,
            String names,
            Augmentation preset,
            Scaling scaling,
            RecordSchema records,
            String howToGiveRecords) {
        Augmentation view = preset != null ? preset : settings.preset();
        if (view == null) {
            throw new UsageException("the names '" + names + "' do not tell how pictures were prepared for these"
                    + " weights: --augment PRESET (./tenon augment lists the presets)");
        }
        Scaling wanted = scaling;
        if (wanted == null) {
            boolean asTheAuthors = view == settings.preset();
            if (asTheAuthors && settings.normalization() != null) {
                return new Preparation(view, settings.normalization());
            }
            wanted = asTheAuthors ? settings.scaling() : view.scaling();
        }
        if (wanted.isMeasured() && records == null) {
            throw new UsageException("--normalize " + wanted + " needs the statistics of records: " + howToGiveRecords);
        }
        return new Preparation(view, wanted.normalization(wanted.isMeasured() ? records : null));
    }
}
