package tenon.apps.onnx;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.TensorInfo;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.Map;

/** Microsoft's runtime, which shares no code with us, running one file. */
public final class OnnxRuntime implements AutoCloseable {
    private final OrtEnvironment environment = OrtEnvironment.getEnvironment();
    private final OrtSession session;

    public OnnxRuntime(Path file) throws OrtException {
        try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
            options.setIntraOpNumThreads(2);
            session = environment.createSession(file.toString(), options);
        }
    }

    /** Of the input, −1 where it is free. */
    public long[] inputShape() throws OrtException {
        return ((TensorInfo) session.getInputInfo().get("input").getInfo()).getShape();
    }

    public long[] outputShape() throws OrtException {
        return ((TensorInfo) session.getOutputInfo().get("logits").getInfo()).getShape();
    }

    public Map<String, String> metadata() throws OrtException {
        return session.getMetadata().getCustomMetadata();
    }

    /** @param images [N, H, W, C] */
    public float[] run(float[] images, int n, int h, int w, int c) throws OrtException {
        float[] channelsFirst = new float[images.length];
        int pixels = h * w;
        for (int i = 0; i < images.length; i++) {
            int image = i / (pixels * c);
            int pixel = i / c % pixels;
            channelsFirst[(image * c + i % c) * pixels + pixel] = images[i];
        }
        try (OnnxTensor input =
                        OnnxTensor.createTensor(environment, FloatBuffer.wrap(channelsFirst), new long[] {n, c, h, w});
                OrtSession.Result result = session.run(Map.of("input", input))) {
            FloatBuffer values = ((OnnxTensor) result.get("logits").orElseThrow()).getFloatBuffer();
            float[] array = new float[values.remaining()];
            values.get(array);
            return array;
        }
    }

    @Override
    public void close() throws OrtException {
        session.close();
    }
}
