package tenon.engine.backend;

import java.util.List;
import tenon.engine.DeviceException;
import tenon.engine.Tensor;

/**
 * One device's end of a group of devices that compute together (an MPI rank). The thread of each device calls the same methods with tensors of the same
 * shapes, in the same order; a call may wait for the other ranks.
 *
 * <p>A failure at one rank ends the group, as {@link #abort} does, since the others would wait for it forever.
 */
public interface Communicator extends AutoCloseable {
    /** Of this device, from 0. */
    int rank();

    /** Devices of the group. */
    int size();

    /** How values travel, for people: {@code host memory}, {@code NCCL 2.27}. */
    String description();

    /**
     * Replaces every tensor by the sum over all ranks, of which each gets the same bits. Like any kernel it may run later, in the order of the device's other
     * work.
     *
     * @param tensors F32
     * @throws DeviceException when the group has ended
     */
    void allReduceSum(List<Tensor> tensors);

    /**
     * Begins to sum as {@link #allReduceSum} does, beside what the device is asked for from now on: the sums are of the values that earlier work leaves, and are there for work that is asked for
     * after {@link #awaitSums}. Nothing else may use the tensors before. Several calls are summed one after the other.
     *
     * @param tensors F32
     * @throws DeviceException when the group has ended
     */
    void startSum(List<Tensor> tensors);

    /** Has the device's work from now on come after all sums that were started. The host goes on at once. */
    void awaitSums();

    /**
     * Copies the values of rank 0 to all others.
     *
     * @param tensors of any dtype
     * @throws DeviceException when the group has ended
     */
    void broadcast(List<Tensor> tensors);

    /** Ends the group: whoever waits in it, or calls later, gets a {@link DeviceException} with this cause. From any thread; only the first cause counts. */
    void abort(Throwable cause);

    /** Ends the group, unless it has ended, and frees what this end holds. Not while this end is in another call; before its back-end is closed. */
    @Override
    void close();
}
