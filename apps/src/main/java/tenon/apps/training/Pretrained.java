package tenon.apps.training;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import tenon.engine.TenonException;
import tenon.engine.Tensor;
import tenon.optim.checkpoint.ModelFile;
import tenon.optim.checkpoint.SafetensorsFile;

/**
 * Weights of a trained network for a new one of the same layers. Its last layer may be of another number of classes and then keeps its initial weights.
 *
 * @param taken tensors that were overwritten
 * @param kept names of those that were not
 */
record Pretrained(int taken, List<String> kept) {
    /**
     * @param saved model file, folder of a run or of one checkpoint
     * @param classes of the new network
     * @throws TenonException when a tensor is missing or has another shape; nothing is overwritten
     */
    static Pretrained load(Path saved, Map<String, Tensor> state, int classes) throws IOException {
        Path file =
                Files.isDirectory(saved) ? ModelFile.of(RunFolder.around(saved).checkpoint(saved)) : saved;
        try (SafetensorsFile tensors = SafetensorsFile.open(file)) {
            List<String> missing = state.keySet().stream()
                    .filter(name -> !tensors.entries().containsKey(name))
                    .toList();
            if (!missing.isEmpty()) {
                throw new TenonException("--weights " + file + ": " + missing.size() + " of the network's "
                        + state.size() + " tensors are missing: " + shortened(missing) + "; it holds "
                        + shortened(List.copyOf(tensors.entries().keySet()))
                        + " (is it of another network, or of another variant?)");
            }
            List<String> kept = new ArrayList<>();
            state.forEach((name, tensor) -> {
                List<Integer> wanted =
                        Arrays.stream(tensor.shape().toArray()).boxed().toList();
                List<Integer> found = tensors.entries().get(name).shape();
                if (!wanted.equals(found)) {
                    if (!differInClassesOnly(wanted, found, classes)) {
                        throw new TenonException("--weights " + file + ": tensor '" + name
                                + "' must have the network's shape: file=" + found + ", network=" + wanted);
                    }
                    kept.add(name);
                }
            });
            state.forEach((name, tensor) -> {
                if (!kept.contains(name)) {
                    tensors.read(name, tensor);
                }
            });
            return new Pretrained(state.size() - kept.size(), List.copyOf(kept));
        }
    }

    private static boolean differInClassesOnly(List<Integer> wanted, List<Integer> found, int classes) {
        return !wanted.isEmpty()
                && wanted.size() == found.size()
                && wanted.getFirst() == classes
                && wanted.subList(1, wanted.size()).equals(found.subList(1, found.size()));
    }

    private static String shortened(List<String> names) {
        return names.size() <= 6 ? names.toString() : names.subList(0, 5) + " and " + (names.size() - 5) + " more";
    }
}
