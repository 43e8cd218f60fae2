package tenon.engine.testing;

import java.util.Map;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/** The simulated device begins each test as new; after the test and its own cleaning up, no call was wrong and nothing is left. */
public final class CleanDevice implements BeforeEachCallback, AfterEachCallback {
    private static final ExtensionContext.Namespace NAMESPACE = ExtensionContext.Namespace.create(CleanDevice.class);

    @Override
    public void beforeEach(ExtensionContext context) {
        CudaTesting.simulator().reset();
        context.getStore(NAMESPACE).put("live", CudaTesting.simulator().live());
    }

    @Override
    @SuppressWarnings("unchecked")
    public void afterEach(ExtensionContext context) {
        CudaTesting.assertClean(context.getStore(NAMESPACE).get("live", Map.class));
        CudaTesting.simulator().reset();
    }
}
