package tenon.apps.training;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.ServiceLoader;
import tenon.layers.Module;

/**
 * Reads weights of this program and of others into networks. A service: whoever knows file formats and other frameworks' names knows this package, which
 * only says what training wants of them.
 */
public interface WeightsReader {
    /**
     * What was read.
     *
     * @param text which tensors were found, for people
     * @param values the same for programs
     * @param initialized tensors of the last layer that have no values of the weights
     * @param scaling of the pictures that the weights know; null where nothing tells, or where it depends on their data set
     */
    record Loaded(String text, Map<String, Object> values, List<String> initialized, Scaling scaling) {}

    /**
     * The variant of a network that weights are for.
     *
     * @param weights a file, or the folder of a run or of one of its checkpoints
     * @throws tenon.engine.TenonException when they cannot be read, or are for another kind of network
     */
    NetworkVariant variant(Path weights, NetworkSpec.Kind kind);

    /**
     * Overwrites a network's parameters and buffers. A last layer of another number of classes, or one that the weights do not have, stays as it is.
     *
     * @param spec what the network was built from
     * @throws tenon.engine.TenonException when tensors are missing or do not fit; nothing has been overwritten then
     */
    Loaded load(Path weights, NetworkSpec spec, Module network);

    static WeightsReader installed() {
        return ServiceLoader.load(WeightsReader.class)
                .findFirst()
                .orElseThrow(() -> new IllegalStateException("no reader of weights is on the class path"));
    }
}
