package tenon.engine.nativelib;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import tenon.engine.DeviceException;
import tenon.engine.nativelib.CudaSearch.Choice;

/**
 * What there is to compute with CUDA. Reading it loads nothing on a machine without a GPU.
 *
 * @param present whether the machine has an NVIDIA GPU, with or without a driver that sees it
 * @param gpus that the driver sees
 * @param driverVersion release of CUDA that the driver runs, e.g. {@code 12.6}; empty without driver
 * @param libraries that the back-end would load, and the driver
 * @param problems why the back-end cannot be opened, each with what to do; empty if it can
 * @param advice what would make it better
 */
public record CudaInfo(
        boolean present,
        List<Gpu> gpus,
        String driverVersion,
        List<Library> libraries,
        List<String> problems,
        List<String> advice) {
    /**
     * @param computeCapability e.g. {@code 9.0}
     * @param reaches indices of the other GPUs whose memory it can access directly, over NVLink or PCIe
     */
    public record Gpu(int index, String name, String computeCapability, long memoryBytes, List<Integer> reaches) {}

    /** The library that the back-end would load for a part, where there is one. */
    public Optional<Library> library(CudaPart part) {
        return libraries.stream().filter(library -> library.part() == part).findFirst();
    }

    /**
     * @param version as the library says it
     */
    public record Library(CudaPart part, String version, Path path) {}

    public static CudaInfo read() {
        CudaInfo info = read(CudaSearch.here());
        return info.problems().isEmpty() ? info.loaded() : info;
    }

    /** With the versions that the libraries themselves say, which their files' names may not show. */
    private CudaInfo loaded() {
        try {
            CudaLibraries loaded = CudaLibraries.load();
            List<Library> asked = loaded.parts().stream()
                    .map(part -> new Library(
                            part, loaded.version(part), loaded.library(part).path()))
                    .toList();
            return new CudaInfo(present, gpus, driverVersion, asked, problems, advice);
        } catch (DeviceException e) {
            return new CudaInfo(present, gpus, driverVersion, libraries, List.of(e.getMessage()), advice);
        }
    }

    static CudaInfo read(CudaSearch search) {
        List<Library> libraries = new ArrayList<>();
        List<String> problems = new ArrayList<>();
        List<String> advice = new ArrayList<>();
        List<Gpu> gpus = List.of();
        String driverVersion = "";
        try {
            NativeLibrary library = CudaLibraries.driver(search);
            libraries.add(new Library(CudaPart.DRIVER, CudaSearch.version(library.path()), library.path()));
            CudaDriver driver = CudaDriver.of(library);
            driverVersion = CudaDriver.text(driver.version());
            gpus = driver.gpus();
            int newest = driver.version() / 1000;
            CudaLibraries.checkDriver(driver.version());
            Choice choice = search.choose(Integer.getInteger(CudaLibraries.MAJOR, 0), newest);
            choice.files().forEach((part, path) -> libraries.add(new Library(part, CudaSearch.version(path), path)));
            String missing = CudaLibraries.missing(search, choice);
            if (!missing.isEmpty()) {
                problems.add("cuda: " + missing);
            }
            if (gpus.size() > 1 && !choice.files().containsKey(CudaPart.NCCL)) {
                advice.add("NCCL, with which several GPUs train together faster, not found: "
                        + CudaPart.NCCL.howToInstall(choice.major()));
            }
        } catch (DeviceException e) {
            problems.add(e.getMessage());
        }
        return new CudaInfo(
                !gpus.isEmpty() || search.seesGpu(),
                gpus,
                driverVersion,
                List.copyOf(libraries),
                List.copyOf(problems),
                List.copyOf(advice));
    }
}
