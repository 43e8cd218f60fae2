package tenon.engine.trace;

import java.lang.reflect.Method;
import java.lang.reflect.Parameter;
import java.util.List;
import java.util.stream.Stream;
import tenon.engine.Tensor;
import tenon.engine.backend.Backend;

/**
 * One method of a back-end, and what its arithmetic and its memory traffic follow from: the names of its parameters, which {@code tenon.engine.backend}
 * uses in one meaning throughout.
 */
public final class Kernel {
    private final String name;
    private final Method family;
    private final Method method;
    private final List<String> parameters;
    private final int weight;
    private final int output;

    /** @param family the back-end's method that gives the family, null for the required core */
    Kernel(Method family, Method method) {
        this.name = family == null ? method.getName() : family.getName() + "." + method.getName();
        this.family = family;
        this.method = method;
        parameters = Stream.of(method.getParameters()).map(Parameter::getName).toList();
        weight = Math.max(parameters.indexOf("weight"), parameters.indexOf("gradWeight"));
        // A backward pass does the forward's arithmetic once per gradient, over the positions of the output.
        output = parameters.contains("gradOutput") ? parameters.indexOf("gradOutput") : parameters.indexOf("output");
    }

    /** E.g. {@code convolution.backwardInput}; without a dot for what every back-end must have, e.g. {@code add}. */
    public String name() {
        return name;
    }

    /** The family, e.g. {@code convolution}; empty for the required core. */
    public String family() {
        return family == null ? "" : family.getName();
    }

    /** Names of the arguments, in their order. */
    public List<String> parameters() {
        return parameters;
    }

    /**
     * Calls the kernel.
     *
     * @param arguments as a {@link KernelCall} has them
     */
    public void run(Backend backend, Object... arguments) {
        TracedBackend.call(method, family == null ? backend : TracedBackend.call(family, backend), arguments);
    }

    /** Floating-point operations of matrix products, a multiply-add being two; 0 for kernels that memory traffic bounds. */
    long flops(Object[] arguments) {
        return switch (family()) {
            case "convolution", "dense" -> {
                if (weight < 0 || output < 0) {
                    yield 0;
                }
                Tensor filters = (Tensor) arguments[weight];
                Tensor positions = (Tensor) arguments[output];
                yield filters.elementCount() == 0
                        ? 0
                        : 2
                                * filters.elementCount()
                                * (positions.elementCount() / filters.shape().dim(0));
            }
            case "" -> method.getName().equals("gemm") ? gemm(arguments) : 0;
            default -> 0;
        };
    }

    private long gemm(Object[] arguments) {
        Tensor a = (Tensor) arguments[parameters.indexOf("a")];
        Tensor c = (Tensor) arguments[parameters.indexOf("c")];
        int rows = c.shape().dim(0);
        return rows == 0 ? 0 : 2 * c.elementCount() * (a.elementCount() / rows);
    }

    /** Bytes that must pass between memory and processor at least: every tensor once, what is read and written twice. */
    long bytes(Object[] arguments) {
        if (name.equals("channels.copy")) {
            Tensor from = (Tensor) arguments[0];
            int count = (int) arguments[parameters.indexOf("count")];
            return 2 * from.byteSize() / from.shape().dim(from.shape().rank() - 1) * count;
        }
        long bytes = 0;
        for (int i = 0; i < parameters.size(); i++) {
            bytes += (isReadAndWritten(i) ? 2 : 1) * size(arguments[i]);
        }
        return bytes;
    }

    private boolean isReadAndWritten(int parameter) {
        String parameterName = parameters.get(parameter);
        return family().equals("updates")
                ? !parameterName.equals("grad")
                : parameterName.equals("accumulator") || parameterName.equals("running");
    }

    private static long size(Object argument) {
        return switch (argument) {
            case Tensor tensor -> tensor.byteSize();
            case Object[] many -> {
                long sum = 0;
                for (Object one : many) {
                    sum += size(one);
                }
                yield sum;
            }
            case null, default -> 0;
        };
    }

    @Override
    public String toString() {
        return name;
    }
}
