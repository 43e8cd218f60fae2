package tenon.engine;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import tenon.engine.autograd.Autograd;
import tenon.engine.autograd.Node;
import tenon.engine.backend.Backend;
import tenon.engine.memory.PrivateForm;
import tenon.engine.memory.Storage;

/**
 * A dense row-major array in back-end memory. Images are [N, H, W, C], convolution weights [K, R, S, C / groups], dense weights [out, in].
 *
 * <p>A tensor is a handle: {@link #view} and {@link #retain} give further handles on the same memory, which is freed when the last one
 * closes. Every handle belongs to the scope that was current when it was made and closes with it; closing earlier is allowed, closing twice is
 * harmless, any other use of a closed tensor throws {@link ClosedException}. Not thread-safe; reading one tensor from several threads is fine.
 *
 * <p>With {@code -Dtenon.debug=true} a message about a closed tensor carries the stack of its allocation.
 */
public final class Tensor implements AutoCloseable {
    private static final boolean DEBUG = Boolean.getBoolean("tenon.debug");

    private final Backend backend;
    private final Storage storage;
    private final Shape shape;
    private final DType dtype;
    private final Throwable allocationSite;
    private MemorySegment segment;
    private Scope scope;
    private boolean closed;
    private boolean requiresGrad;
    private Node node;
    private int outputIndex;
    private Tensor grad;
    private boolean gradFilled;

    private Tensor(Scope scope, Backend backend, Storage storage, Shape shape, DType dtype) {
        this.scope = scope;
        this.backend = backend;
        this.storage = storage;
        this.shape = shape;
        this.dtype = dtype;
        this.allocationSite = DEBUG ? new Throwable("allocated here") : null;
        scope.attach(this);
    }

    // ---- creation ----

    /** A tensor of undefined contents on the current scope's back-end. */
    public static Tensor empty(Shape shape, DType dtype) {
        return empty(Scope.current().backend(), shape, dtype);
    }

    /** A tensor of undefined contents in the current scope. */
    public static Tensor empty(Backend backend, Shape shape, DType dtype) {
        Scope scope = Scope.current();
        scope.checkMayAllocate();
        Storage storage = backend.allocator().allocate(Math.multiplyExact(shape.elementCount(), dtype.byteSize()));
        return new Tensor(scope, backend, storage, shape, dtype);
    }

    public static Tensor zeros(Shape shape, DType dtype) {
        return full(shape, dtype, 0);
    }

    public static Tensor full(Shape shape, DType dtype, double value) {
        Tensor tensor = empty(shape, dtype);
        tensor.fill(value);
        return tensor;
    }

    /** An F32 tensor with a copy of {@code values}. */
    public static Tensor of(float[] values, int... dims) {
        Tensor tensor = empty(Shape.of(dims), DType.F32);
        tensor.upload(MemorySegment.ofArray(values));
        return tensor;
    }

    /** An F64 tensor with a copy of {@code values}. */
    public static Tensor of(double[] values, int... dims) {
        Tensor tensor = empty(Shape.of(dims), DType.F64);
        tensor.upload(MemorySegment.ofArray(values));
        return tensor;
    }

    /** An I32 tensor with a copy of {@code values}. */
    public static Tensor of(int[] values, int... dims) {
        Tensor tensor = empty(Shape.of(dims), DType.I32);
        tensor.upload(MemorySegment.ofArray(values));
        return tensor;
    }

    // ---- description ----

    public Shape shape() {
        return shape;
    }

    public DType dtype() {
        return dtype;
    }

    public Backend backend() {
        return backend;
    }

    public Device device() {
        return backend.device();
    }

    public long elementCount() {
        return shape.elementCount();
    }

    public long byteSize() {
        return shape.elementCount() * dtype.byteSize();
    }

    // ---- memory ----

    /** Native address of the first element; 0 on the shape-only back-end. */
    public long address() {
        checkOpen();
        return storage.address();
    }

    /** Host memory of exactly this tensor's bytes; throws for device memory. */
    public MemorySegment segment() {
        checkOpen();
        MemorySegment block = storage.segment();
        if (segment == null || segment.address() != block.address()) {
            if (block == null) {
                throw new DeviceException("tensor: only host memory can be read directly: device=" + device()
                        + ", shape=" + shape + " (use toFloatArray or download)");
            }
            segment = block.asSlice(0, byteSize());
        }
        return segment;
    }

    /**
     * Host memory of this tensor's bytes to read at once, which leaves a private form of the back-end as it is; null where only {@link #download} can
     * do that.
     */
    public MemorySegment readableSegment() {
        checkOpen();
        PrivateForm form = storage.form();
        if (storage.block() == null || form != null && !form.isPlain()) {
            return null;
        }
        return storage.block().asSlice(0, byteSize()).asReadOnly();
    }

    /** The memory itself, for the back-end whose it is: it may hold the contents in a private form. */
    public Storage storage() {
        checkOpen();
        return storage;
    }

    /** True when other handles (views, tensors saved for backward) share the memory: then it must not be overwritten. */
    public boolean isShared() {
        return storage.isShared();
    }

    /** True when both tensors use the same memory. */
    public boolean sharesMemoryWith(Tensor other) {
        return storage == other.storage;
    }

    /** Overwrites the contents from host memory of the same byte size and element type. */
    public void upload(MemorySegment from) {
        checkByteSize("upload", from.byteSize());
        checkOpen();
        backend.upload(from, this);
    }

    public void upload(float[] from) {
        checkDType("upload", DType.F32);
        upload(MemorySegment.ofArray(from));
    }

    /** Copies the contents to host memory of the same byte size. */
    public void download(MemorySegment to) {
        checkByteSize("download", to.byteSize());
        checkOpen();
        backend.download(this, to);
    }

    /** Overwrites the contents from a tensor of the same shape and dtype on the same back-end. */
    public void copyFrom(Tensor from) {
        if (!from.shape.equals(shape) || from.dtype != dtype || from.backend != backend) {
            throw new ShapeException(
                    "copyFrom: shape, dtype and back-end must be equal: from=" + from + ", to=" + this);
        }
        checkOpen();
        from.checkOpen();
        backend.copy(from, this);
    }

    /** As {@link #copyFrom}; from a tensor of another back-end the values come through host memory, and have arrived on return. */
    public void transferFrom(Tensor from) {
        if (from.backend == backend) {
            copyFrom(from);
            return;
        }
        if (!from.shape.equals(shape) || from.dtype != dtype) {
            throw new ShapeException("transferFrom: shape and dtype must be equal: from=" + from + ", to=" + this);
        }
        MemorySegment readable = from.readableSegment();
        if (readable != null) {
            upload(readable);
        } else {
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment host = arena.allocate(byteSize(), 64);
                from.download(host);
                upload(host);
            }
        }
    }

    public void fill(double value) {
        checkOpen();
        backend.fill(this, value);
    }

    /** The contents as floats; F32, F64, BF16, U8 and I32 are converted. */
    public float[] toFloatArray() {
        MemorySegment host = toHost();
        float[] out = new float[Math.toIntExact(elementCount())];
        for (int i = 0; i < out.length; i++) {
            out[i] = (float) read(host, i);
        }
        return out;
    }

    /** The contents as doubles; every dtype is converted exactly. */
    public double[] toDoubleArray() {
        MemorySegment host = toHost();
        double[] out = new double[Math.toIntExact(elementCount())];
        for (int i = 0; i < out.length; i++) {
            out[i] = read(host, i);
        }
        return out;
    }

    /** The contents of an I32 tensor. */
    public int[] toIntArray() {
        checkDType("toIntArray", DType.I32);
        int[] out = new int[Math.toIntExact(elementCount())];
        download(MemorySegment.ofArray(out));
        return out;
    }

    /** The single element of a one-element tensor. */
    public double item() {
        if (elementCount() != 1) {
            throw new ShapeException(
                    "item: the tensor must have exactly one element: shape=" + shape + " (use mean or sum first?)");
        }
        return toDoubleArray()[0];
    }

    private MemorySegment toHost() {
        checkOpen();
        byte[] bytes = new byte[Math.toIntExact(byteSize())];
        MemorySegment host = MemorySegment.ofArray(bytes);
        backend.download(this, host);
        return host;
    }

    private double read(MemorySegment host, long i) {
        return switch (dtype) {
            case F32 -> host.get(ValueLayout.JAVA_FLOAT_UNALIGNED, i * 4);
            case F64 -> host.get(ValueLayout.JAVA_DOUBLE_UNALIGNED, i * 8);
            case BF16 -> DType.bf16ToFloat(host.get(ValueLayout.JAVA_SHORT_UNALIGNED, i * 2));
            case U8 -> host.get(ValueLayout.JAVA_BYTE, i) & 0xFF;
            case I32 -> host.get(ValueLayout.JAVA_INT_UNALIGNED, i * 4);
        };
    }

    // ---- handles ----

    /** A further handle on the same memory in the current scope, without gradient history (PyTorch's {@code detach}). */
    public Tensor detach() {
        return view(shape, Scope.current());
    }

    /** A handle for the tape: belongs to no scope, keeps the memory alive until closed. */
    public Tensor retain() {
        return view(shape, Scope.NONE);
    }

    /** A handle of another shape on the same memory, without gradient history; see {@code ops.Reshape} for the recorded one. */
    public Tensor view(Shape newShape) {
        return view(newShape, Scope.current());
    }

    private Tensor view(Shape newShape, Scope owner) {
        checkOpen();
        if (newShape.elementCount() != shape.elementCount()) {
            throw new ShapeException(TenonException.where("reshape") + ": the element count must stay the same: from="
                    + shape + " (" + shape.elementCount() + "), to=" + newShape + " (" + newShape.elementCount() + ")");
        }
        owner.checkMayAllocate();
        storage.retain();
        return new Tensor(owner, backend, storage, newShape, dtype);
    }

    /** The scope that closes this handle. */
    public Scope scope() {
        return scope;
    }

    /** Moves this handle to another scope, which then closes it. Returns this. */
    public Tensor moveTo(Scope target) {
        checkOpen();
        target.checkMayAllocate();
        scope.detach(this);
        scope = target;
        target.attach(this);
        return this;
    }

    public boolean isClosed() {
        return closed;
    }

    /** Closes this handle, and frees the memory if it was the last one. */
    @Override
    public void close() {
        if (!closed) {
            closed = true;
            scope.detach(this);
            release();
        }
    }

    /** Called by the closing scope, which forgets its tensors itself. */
    void closeFromScope() {
        if (!closed) {
            closed = true;
            release();
        }
    }

    private void release() {
        segment = null;
        node = null;
        if (grad != null) {
            grad.close();
            grad = null;
        }
        storage.release();
    }

    public void checkOpen() {
        if (closed) {
            ClosedException e = new ClosedException(
                    TenonException.where("tensor") + ": used after it was closed: shape=" + shape + ", dtype="
                            + dtype + ", scope=" + scope.name()
                            + (DEBUG
                                    ? ""
                                    : " (move it to an outer scope with moveTo, or run with -Dtenon.debug=true to see"
                                            + " where it was allocated)"));
            if (allocationSite != null) {
                e.initCause(allocationSite);
            }
            throw e;
        }
    }

    private void checkByteSize(String op, long given) {
        if (given != byteSize()) {
            throw new ShapeException(op + ": byte sizes must be equal: tensor=" + byteSize() + " (shape=" + shape
                    + ", dtype=" + dtype + "), given=" + given);
        }
    }

    private void checkDType(String op, DType wanted) {
        if (dtype != wanted) {
            throw new DTypeException(op + ": dtype must be " + wanted + ": dtype=" + dtype + ", shape=" + shape);
        }
    }

    // ---- gradients ----

    /** Marks a leaf (a parameter, or an input whose gradient is wanted). Returns this. */
    public Tensor requireGrad(boolean wanted) {
        if (wanted && !dtype.isFloating()) {
            throw new DTypeException("requireGrad: only floating dtypes have gradients: dtype=" + dtype);
        }
        if (node != null && !wanted) {
            throw new AutogradException(
                    "requireGrad: only leaves can be frozen; this is the result of " + node.op() + " (use detach)");
        }
        requiresGrad = wanted;
        return this;
    }

    /** True for a marked leaf and for every recorded result that depends on one. */
    public boolean requiresGrad() {
        return requiresGrad;
    }

    public boolean isLeaf() {
        return node == null;
    }

    /** The recorded op that produced this tensor, or null. */
    public Node node() {
        return node;
    }

    /** Which output of {@link #node()} this is. */
    public int outputIndex() {
        return outputIndex;
    }

    /** Called when an op records this tensor as its result. */
    public void setHistory(Node producer, int index) {
        node = producer;
        outputIndex = index;
        requiresGrad = true;
    }

    /** The accumulated gradient of a leaf, or null when backward has not reached it since {@link #zeroGrad()}. */
    public Tensor grad() {
        return gradFilled ? grad : null;
    }

    /** The leaf's gradient buffer, allocated on first use and closed with the leaf; contents are undefined until filled. */
    public Tensor gradBuffer() {
        checkOpen();
        if (grad == null) {
            Storage memory = backend.allocator().allocate(byteSize());
            grad = new Tensor(Scope.NONE, backend, memory, shape, dtype);
        }
        return grad;
    }

    /** Declares the gradient buffer's contents valid. */
    public void markGradFilled() {
        gradFilled = true;
    }

    /** Forgets the gradient: the next backward overwrites the buffer instead of adding to it. Costs nothing. */
    public void zeroGrad() {
        gradFilled = false;
    }

    /** Back-propagates from this one-element tensor with gradient 1. */
    public void backward() {
        Autograd.backward(this, null);
    }

    /** Back-propagates from this tensor with the given gradient of the same shape and dtype. */
    public void backward(Tensor gradOutput) {
        Autograd.backward(this, gradOutput);
    }

    @Override
    public String toString() {
        return dtype + shape.toString() + "@" + backend.name() + (closed ? " (closed)" : "");
    }
}
