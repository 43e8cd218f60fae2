package tenon.engine.backend;

import java.util.List;
import tenon.engine.ShapeException;
import tenon.engine.Tensor;

/** Where the ranks of a group wait until each has made the same call. */
public final class RankCalls {
    private record Call(String op, List<Tensor> tensors) {}

    private final RankBarrier barrier;
    /** By the parity of the call's number and by rank: who is fast may be at the next call while others still look at this one. */
    private final Call[][] calls;

    private final int[] numbers;

    public RankCalls(int size) {
        barrier = new RankBarrier(size);
        calls = new Call[2][size];
        numbers = new int[size];
    }

    public RankBarrier barrier() {
        return barrier;
    }

    public int size() {
        return numbers.length;
    }

    /**
     * Returns rank 0's tensors when all ranks have called.
     *
     * @throws ShapeException where this rank's tensors are not as rank 0's
     * @throws tenon.engine.DeviceException when the group has ended
     */
    public List<Tensor> meet(int rank, String op, List<Tensor> tensors) {
        Call[] now = calls[numbers[rank]++ & 1];
        Call mine = new Call(op, tensors);
        now[rank] = mine;
        barrier.await();
        Call first = now[0];
        if (!isSame(first, mine)) {
            throw new ShapeException("communicator: all ranks must make the same call with tensors of the same shapes"
                    + " and dtypes: rank 0: " + first.op + " " + first.tensors + ", rank " + rank + ": " + op + " "
                    + tensors);
        }
        return first.tensors;
    }

    private static boolean isSame(Call a, Call b) {
        boolean same = a.op.equals(b.op) && a.tensors.size() == b.tensors.size();
        for (int i = 0; same && i < a.tensors.size(); i++) {
            Tensor x = a.tensors.get(i);
            Tensor y = b.tensors.get(i);
            same = x.shape().equals(y.shape()) && x.dtype() == y.dtype();
        }
        return same;
    }
}
