package tenon.engine.nativelib;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tenon.engine.nativelib.CudaSearch.Choice;
import tenon.engine.nativelib.CudaSearch.Family;

/** Trees of empty files stand for installations. */
class CudaSearchTest {
    @TempDir
    private Path root;

    private final Map<String, String> properties = new HashMap<>(Map.of("user.home", "/home/ada"));
    private final Map<String, String> variables = new HashMap<>();
    private String loaderCache = "";

    private CudaSearch search() {
        return new CudaSearch(root, properties::get, variables::get, () -> loaderCache);
    }

    private void toolkit(String folder, String release) throws IOException {
        int major = Integer.parseInt(release.split("\\.")[0]);
        files(
                folder,
                "libcublas.so." + major,
                "libcublasLt.so." + major,
                "libnvrtc.so." + major,
                "libnvrtc-builtins.so." + release,
                "libnvrtc-builtins.so." + release + ".85");
    }

    private void files(String folder, String... names) throws IOException {
        Path path = root.resolve(folder);
        Files.createDirectories(path);
        for (String name : names) {
            Files.write(path.resolve(name), new byte[0]);
        }
    }

    private Path at(String path) {
        return root.resolve(path);
    }

    @Test
    void aToolkitAndADebianCudnn() throws IOException {
        toolkit("usr/local/cuda-12.6/lib64", "12.6");
        files("usr/lib/x86_64-linux-gnu", "libcuda.so.1", "libcudnn.so.9", "libcudnn_ops.so.9", "libcudnn_cnn.so.9");
        CudaSearch search = search();
        assertThat(search.driver()).contains(at("usr/lib/x86_64-linux-gnu/libcuda.so.1"));
        Choice choice = search.choose(0, 12);
        assertThat(choice.major()).isEqualTo(12);
        assertThat(choice.files())
                .containsEntry(CudaPart.CUBLAS, at("usr/local/cuda-12.6/lib64/libcublas.so.12"))
                .containsEntry(CudaPart.CUBLAS_LT, at("usr/local/cuda-12.6/lib64/libcublasLt.so.12"))
                .containsEntry(CudaPart.NVRTC, at("usr/local/cuda-12.6/lib64/libnvrtc.so.12"))
                .containsEntry(CudaPart.NVRTC_BUILTINS, at("usr/local/cuda-12.6/lib64/libnvrtc-builtins.so.12.6"))
                .containsEntry(CudaPart.CUDNN, at("usr/lib/x86_64-linux-gnu/libcudnn.so.9"))
                .doesNotContainKey(CudaPart.NCCL);
        assertThat(CudaSearch.cudnnParts(choice.files().get(CudaPart.CUDNN)))
                .containsExactlyInAnyOrder(
                        at("usr/lib/x86_64-linux-gnu/libcudnn_ops.so.9"),
                        at("usr/lib/x86_64-linux-gnu/libcudnn_cnn.so.9"));
        assertThat(CudaLibraries.missing(search, choice)).isEmpty();
    }

    @Test
    void wheelsOfAVirtualEnvironment() throws IOException {
        variables.put("VIRTUAL_ENV", "/home/ada/work/env");
        String wheels = "home/ada/work/env/lib/python3.12/site-packages/nvidia/";
        files(wheels + "cublas/lib", "libcublas.so.12", "libcublasLt.so.12");
        files(wheels + "cuda_nvrtc/lib", "libnvrtc.so.12", "libnvrtc-builtins.so.12.8");
        files(wheels + "cudnn/lib", "libcudnn.so.9", "libcudnn_graph.so.9");
        files(wheels + "nccl/lib", "libnccl.so.2");
        toolkit("usr/local/cuda/lib64", "12.2");
        Choice choice = search().choose(0, 13);
        assertThat(choice.files())
                .hasSize(6)
                .allSatisfy((_, path) -> assertThat(path.toString()).contains("site-packages/nvidia"));
    }

    @Test
    void wheelsOfCuda13ShareAFolder() throws IOException {
        String wheels = "home/ada/.local/lib/python3.11/site-packages/nvidia/";
        toolkit(wheels + "cu13/lib", "13.0");
        files(wheels + "cudnn/lib", "libcudnn.so.9");
        assertThat(search().choose(0, 13).major()).isEqualTo(13);
        assertThat(search().choose(0, 12).files()).containsOnlyKeys(CudaPart.CUDNN);
    }

    @Test
    void theDriverDecidesWhichReleaseRuns() throws IOException {
        toolkit("usr/local/cuda-13.0/lib64", "13.0");
        toolkit("usr/local/cuda-12.9/lib64", "12.9");
        toolkit("usr/local/cuda-12.10/lib64", "12.10");
        assertThat(search().choose(0, 13).major()).as("the newest first").isEqualTo(13);
        Choice older = search().choose(0, 12);
        assertThat(older.major()).isEqualTo(12);
        assertThat(older.files().get(CudaPart.CUBLAS)).isEqualTo(at("usr/local/cuda-12.10/lib64/libcublas.so.12"));
        assertThat(search().choose(12, 13).major()).as("asked for").isEqualTo(12);
    }

    @Test
    void aNamedFolderComesFirstAndTheRestFromElsewhere() throws IOException {
        toolkit("usr/local/cuda/lib64", "12.6");
        files("usr/lib/x86_64-linux-gnu", "libcudnn.so.9");
        toolkit("opt/mine/targets/x86_64-linux/lib", "12.4");
        properties.put(CudaSearch.PROPERTY, "/opt/mine:/opt/else");
        Map<CudaPart, Path> files = search().choose(0, 13).files();
        assertThat(files.get(CudaPart.CUBLAS)).isEqualTo(at("opt/mine/targets/x86_64-linux/lib/libcublas.so.12"));
        assertThat(files.get(CudaPart.CUDNN)).isEqualTo(at("usr/lib/x86_64-linux-gnu/libcudnn.so.9"));
    }

    @Test
    void aCompleteFamilyWinsOverPiecesOfAnother() throws IOException {
        files("opt/old/lib64", "libcublas.so.12", "libcublasLt.so.12");
        variables.put("CUDA_HOME", "/opt/old");
        toolkit("usr/local/cuda/lib64", "12.6");
        assertThat(search().choose(0, 13).files().get(CudaPart.CUBLAS))
                .isEqualTo(at("usr/local/cuda/lib64/libcublas.so.12"));
    }

    @Test
    void cudnnBesideCublasWins() throws IOException {
        files("usr/lib/x86_64-linux-gnu", "libcudnn.so.9");
        variables.put("CONDA_PREFIX", "/opt/conda");
        toolkit("opt/conda/lib", "12.6");
        files("usr/local/cuda/lib64", "libcudnn.so.9");
        files("opt/conda/lib", "libcudnn.so.9");
        assertThat(search().choose(0, 13).files().get(CudaPart.CUDNN)).isEqualTo(at("opt/conda/lib/libcudnn.so.9"));
    }

    @Test
    void theLoadersCacheNamesFurtherFolders() throws IOException {
        loaderCache = """
            1234 libs found in cache `/etc/ld.so.cache'
            \tlibcudnn.so.9 (libc6,x86-64) => /opt/deep/lib/libcudnn.so.9
            \tlibcudnn.so.9 (libc6) => /opt/lib32/libcudnn.so.9
            \tlibzstd.so.1 (libc6,x86-64) => /opt/other/libzstd.so.1
            """;
        files("opt/deep/lib", "libcudnn.so.9");
        CudaSearch search = search();
        assertThat(search.choose(0, 13).files()).containsEntry(CudaPart.CUDNN, at("opt/deep/lib/libcudnn.so.9"));
        assertThat(search.families().stream().flatMap(family -> family.folders().stream()))
                .contains(at("opt/deep/lib"))
                .doesNotContain(at("opt/lib32"), at("opt/other"));
    }

    @Test
    void windowsSubsystemForLinux() throws IOException {
        files("usr/lib/wsl/lib", "libcuda.so.1");
        assertThat(search().driver()).contains(at("usr/lib/wsl/lib/libcuda.so.1"));
    }

    @Test
    void saysWhatIsMissingAndWhereToGetIt() throws IOException {
        files("usr/local/cuda/lib64", "libcublas.so.12", "libcublasLt.so.12");
        CudaSearch search = search();
        assertThat(CudaLibraries.missing(search, search.choose(0, 12)))
                .startsWith("NVRTC (libnvrtc.so.12) not found: apt-get install cuda-nvrtc-12-6 (from NVIDIA's"
                        + " repository), or pip install nvidia-cuda-nvrtc-cu12; cuDNN (libcudnn.so.9) not found:"
                        + " apt-get install libcudnn9-cuda-12 (from NVIDIA's repository), or pip install"
                        + " nvidia-cudnn-cu12. Looked in " + root.resolve("usr/local/cuda"))
                .endsWith("; -Dtenon.cuda.path=FOLDER names further folders");
    }

    @Test
    void packagesOfCuda13HaveOtherNames() {
        CudaSearch search = search();
        assertThat(CudaLibraries.missing(search, search.choose(13, 13)))
                .startsWith("cuBLAS (libcublas.so.13) not found: apt-get install libcublas-13-0 (from NVIDIA's"
                        + " repository), or pip install nvidia-cublas; NVRTC (libnvrtc.so.13)")
                .contains("pip install nvidia-cudnn-cu13");
    }

    @Test
    void aCompanionComesFromTheSameFolderOrNotAtAll() throws IOException {
        files("opt/cuda/lib64", "libcublas.so.12", "libnvrtc.so.12");
        files("usr/lib/x86_64-linux-gnu", "libcublasLt.so.12", "libnvrtc-builtins.so.12.6");
        assertThat(search().choose(0, 12).files()).containsOnlyKeys(CudaPart.CUBLAS, CudaPart.NVRTC);
        toolkit("usr/local/lib", "12.2");
        assertThat(search().choose(0, 12).files().get(CudaPart.CUBLAS))
                .as("the complete installation")
                .isEqualTo(at("usr/local/lib/libcublas.so.12"));
    }

    @Test
    void seesAGpuOnTheBus() throws IOException {
        assertThat(search().seesGpu()).isFalse();
        Path device = at("sys/bus/pci/devices/0000:01:00.0");
        Files.createDirectories(device);
        Files.writeString(device.resolve("vendor"), "0x10de\n");
        Files.writeString(device.resolve("class"), "0x040300\n");
        assertThat(search().seesGpu()).as("a sound chip").isFalse();
        Files.writeString(device.resolve("class"), "0x030200\n");
        assertThat(search().seesGpu()).isTrue();
    }

    @Test
    void readsVersionsFromTheFilesThatLinksLeadTo() throws IOException {
        files("lib", "libcublas.so.12.6.4.1", "libcudnn.so.9");
        Files.createSymbolicLink(at("lib/libcublas.so.12"), Path.of("libcublas.so.12.6.4.1"));
        assertThat(CudaSearch.version(at("lib/libcublas.so.12"))).isEqualTo("12.6.4.1");
        assertThat(CudaSearch.version(at("lib/libcudnn.so.9"))).isEqualTo("9");
    }

    @Test
    void ordersNumbersAsNumbers() {
        assertThat(CudaSearch.compareNumbers("cuda-12.10", "cuda-12.9")).isPositive();
        assertThat(CudaSearch.compareNumbers("cuda-9", "cuda-12")).isNegative();
        assertThat(CudaSearch.compareNumbers("cuda", "cuda-12")).isNegative();
        assertThat(CudaSearch.compareNumbers("a1", "a1")).isZero();
    }

    @Test
    void relativeNamesStartAtTheWorkingDirectory() throws IOException {
        String here = Path.of("").toAbsolutePath().toString().substring(1);
        files(here + "/libs", "libcudnn.so.9");
        properties.put(CudaSearch.PROPERTY, "libs");
        assertThat(search().families()).extracting(Family::name).contains("-Dtenon.cuda.path");
        assertThat(search().choose(0, 13).files()).containsEntry(CudaPart.CUDNN, at(here + "/libs/libcudnn.so.9"));
    }
}
