package tenon.engine.nativelib;

import java.util.List;

/** A library of CUDA's that Tenon uses, how its file is called, and where people get it. */
public enum CudaPart {
    DRIVER("NVIDIA driver", "libcuda.so.1"),
    CUBLAS_LT("cuBLASLt", "libcublasLt.so.%d"),
    CUBLAS("cuBLAS", "libcublas.so.%d"),
    NVRTC("NVRTC", "libnvrtc.so.%d"),
    NVRTC_BUILTINS("NVRTC's built-ins", "libnvrtc-builtins.so.%d."),
    CUDNN("cuDNN", "libcudnn.so.9"),
    NCCL("NCCL", "libnccl.so.2");

    /** Releases of CUDA that work, the preferred one first. */
    static final List<Integer> MAJORS = List.of(12, 13);

    private final String label;
    private final String file;

    CudaPart(String label, String file) {
        this.label = label;
        this.file = file;
    }

    public String label() {
        return label;
    }

    /** File name for a release of CUDA; of {@link #NVRTC_BUILTINS} the beginning. */
    String file(int major) {
        return file.formatted(major);
    }

    /** How to get it for a release of CUDA. */
    public String howToInstall(int major) {
        String release = major == 13 ? "13-0" : "12-6";
        // Since CUDA 13, the wheels of the toolkit have no suffix.
        String toolkitWheel = major == 13 ? "" : "-cu" + major;
        return switch (this) {
            case DRIVER ->
                "apt-get install nvidia-driver-580, or in a container: start it with --gpus all and the"
                        + " nvidia-container-toolkit on the host";
            case CUBLAS, CUBLAS_LT -> either("libcublas-" + release, "nvidia-cublas" + toolkitWheel);
            case NVRTC, NVRTC_BUILTINS -> either("cuda-nvrtc-" + release, "nvidia-cuda-nvrtc" + toolkitWheel);
            case CUDNN -> either("libcudnn9-cuda-" + major, "nvidia-cudnn-cu" + major);
            case NCCL -> either("libnccl2", "nvidia-nccl-cu" + major);
        };
    }

    private static String either(String debian, String wheel) {
        return "apt-get install " + debian + " (from NVIDIA's repository), or pip install " + wheel;
    }
}
