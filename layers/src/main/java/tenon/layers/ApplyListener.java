package tenon.layers;

import tenon.engine.Tensor;

/** Told of every layer that runs; see {@link Module#listen}. Calls nest as the layers do. */
public interface ApplyListener {
    void before(Module module, Tensor input);

    void after(Module module, Tensor input, Tensor output);
}
