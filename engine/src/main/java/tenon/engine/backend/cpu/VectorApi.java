package tenon.engine.backend.cpu;

/** Whether the kernels on the Vector API are used: its incubating module must be there, and {@code -Dtenon.vector} must not be false. */
final class VectorApi {
    private VectorApi() {}

    static boolean isUsed() {
        return ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent()
                && !"false".equals(System.getProperty("tenon.vector"));
    }
}
