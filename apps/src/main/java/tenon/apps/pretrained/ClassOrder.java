package tenon.apps.pretrained;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import tenon.apps.cli.UsageException;
import tenon.apps.training.NetworkSpec;
import tenon.engine.Tensor;
import tenon.layers.Module;

/**
 * The order in which a file's network has its classes, and the one in which a data set has them.
 *
 * @param theirs names in the order of the file's outputs
 * @param names the same in the order that the model shall have
 */
record ClassOrder(List<String> theirs, List<String> names) {
    ClassOrder {
        Set<String> given = new HashSet<>(theirs);
        if (given.size() < theirs.size()) {
            List<String> twice = new ArrayList<>(theirs);
            given.forEach(twice::remove);
            throw new UsageException("class names must differ: " + ImportReport.shortened(twice));
        }
        if (!given.equals(new HashSet<>(names))) {
            List<String> other = new ArrayList<>(names);
            other.removeAll(theirs);
            List<String> rest = new ArrayList<>(theirs);
            rest.removeAll(names);
            throw new UsageException(
                    "the file's classes and the records' must have the same names: only in the records: "
                            + ImportReport.shortened(other) + "; only in the file's: " + ImportReport.shortened(rest));
        }
    }

    /** Puts the outputs of the last layer into the model's order. */
    void apply(NetworkSpec spec, Module network) {
        if (theirs.equals(names)) {
            return;
        }
        NetworkLayers.Layer classifier =
                NetworkLayers.of(spec::build, spec.input(1)).classifier();
        for (Slot slot : classifier.slots()) {
            Tensor tensor = network.state().get(slot.name());
            float[] before = tensor.toFloatArray();
            float[] after = new float[before.length];
            int row = before.length / names.size();
            for (int i = 0; i < names.size(); i++) {
                System.arraycopy(before, theirs.indexOf(names.get(i)) * row, after, i * row, row);
            }
            tensor.upload(after);
        }
    }
}
