package tenon.engine.backend.cuda;

import java.util.List;
import java.util.Locale;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tenon.engine.DeviceException;
import tenon.engine.backend.Backend;
import tenon.engine.backend.Communicator;
import tenon.engine.backend.HostCommunicator;
import tenon.engine.nativelib.CudaLibraries;
import tenon.engine.nativelib.CudaPart;
import tenon.engine.nativelib.NativeLibrary;

/** Chooses how GPUs compute together: through NCCL where it is there and works, else by copies between them. */
final class Collectives {
    static final String PROPERTY = "tenon.cuda.collectives";

    private static final Logger LOG = LoggerFactory.getLogger(Collectives.class);

    private enum Choice {
        FOUND,
        NCCL,
        PEER,
        HOST
    }

    private Collectives() {}

    static List<Communicator> of(List<Backend> group) {
        List<CudaBackend> backends = group.stream().map(CudaBackend.class::cast).toList();
        Choice choice = choice();
        List<Communicator> made = switch (choice) {
            case HOST -> HostCommunicator.group(group);
            case PEER -> peers(backends);
            case NCCL -> nccl(backends);
            case FOUND -> found(backends);
        };
        LOG.debug(
                "cuda: {} devices compute together through {}",
                made.size(),
                made.getFirst().description());
        return made;
    }

    /** What {@link #of} would choose for different GPUs, for people, as far as that shows before they are opened. */
    static String expected(boolean ncclFound) {
        return switch (choice()) {
            case HOST -> "host memory";
            case PEER -> "copies between GPUs";
            case NCCL -> ncclFound ? "NCCL" : "NCCL, which is not found";
            case FOUND -> ncclFound ? "NCCL" : "copies between GPUs";
        };
    }

    private static Choice choice() {
        String named = System.getProperty(PROPERTY);
        if (named == null) {
            return Choice.FOUND;
        }
        for (Choice choice : List.of(Choice.NCCL, Choice.PEER, Choice.HOST)) {
            if (choice.name().toLowerCase(Locale.ROOT).equals(named)) {
                return choice;
            }
        }
        throw new IllegalArgumentException("-D" + PROPERTY + " must be one of nccl, peer, host: " + named);
    }

    private static List<Communicator> found(List<CudaBackend> backends) {
        if (CudaLibraries.load().nccl().isPresent() && distinct(backends)) {
            try {
                return nccl(backends);
            } catch (DeviceException e) {
                LOG.warn("cuda: NCCL is there but does not work, so GPUs copy from each other: {}", e.getMessage());
            }
        }
        return peers(backends);
    }

    /** NCCL takes each device once. */
    private static boolean distinct(List<CudaBackend> backends) {
        return backends.stream().map(CudaBackend::device).distinct().count() == backends.size();
    }

    private static List<Communicator> nccl(List<CudaBackend> backends) {
        NativeLibrary library = CudaLibraries.load().library(CudaPart.NCCL);
        return NcclCommunicator.group(backends, new Nccl(library));
    }

    private static List<Communicator> peers(List<CudaBackend> backends) {
        return PeerCommunicator.group(backends, PeerCommunicator.MOST_ELEMENTS);
    }
}
