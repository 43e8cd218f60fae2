package tenon.apps;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchRule;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * The arrows between modules and packages. Maven refuses a wrong arrow between modules as long as nobody adds the dependency to a pom; these
 * rules also see packages, and packages put into the wrong module. Every rule may find nothing to look at, as packages come one by one.
 */
class ArchitectureTest {
    private static final List<String> MODULES = List.of("engine", "layers", "optim", "io", "apps", "benchmarks");

    private static JavaClasses classes;

    @BeforeAll
    static void readClasses() {
        classes = new ClassFileImporter()
                .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
                .importPackages("tenon");
    }

    @Test
    void seesTheModulesItJudges() {
        assertThat(classes.contain("tenon.apps.Main")).isTrue();
        assertThat(classes.stream().map(c -> c.getPackageName()).anyMatch(p -> p.startsWith("tenon.engine")))
                .isTrue();
    }

    @ParameterizedTest(name = "{0} may use [{1}]")
    @CsvSource(
            nullValues = "nothing",
            value = {
                "engine, nothing",
                "layers, engine",
                "optim,  engine layers",
                "io,     engine",
                "apps,   engine layers optim io",
            })
    void modulesUseOnlyTheModulesBelowThem(String module, String below) {
        List<String> forbidden = new ArrayList<>(MODULES);
        forbidden.remove(module);
        forbidden.removeAll(below == null ? Set.of() : Set.of(below.split(" ")));

        check(noClasses()
                .that()
                .resideInAPackage(packagesOf(module))
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(
                        forbidden.stream().map(ArchitectureTest::packagesOf).toArray(String[]::new))
                .because("arrows point one way: engine, layers, optim, apps; io needs the engine only"));
    }

    @Test
    void operationsAskTheContractAndNoParticularBackend() {
        check(noClasses()
                .that()
                .resideInAnyPackage("tenon.engine.ops..", "tenon.engine.autograd..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(
                        "tenon.engine.backend.reference..", "tenon.engine.backend.cpu..", "tenon.engine.backend.cuda..")
                .because("a new back-end must not mean new operations"));
    }

    @Test
    void backendsDoNotKnowEachOther() {
        check(slices().matching("tenon.engine.backend.(*)..")
                .should()
                .notDependOnEachOther()
                .because("a back-end never falls back to another; what they share is in tenon.engine.backend"));
    }

    @Test
    void nativeBindingsStayInsideTheBackendThatNeedsThem() {
        check(noClasses()
                .that()
                .resideInAPackage("tenon..")
                .and()
                .resideOutsideOfPackages("tenon.engine.backend.cpu..", "tenon.engine.nativelib..", "tenon.benchmarks..")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("org.bytedeco..")
                .because("everything else works where oneDNN does not exist"));
        check(noClasses()
                .that()
                .resideInAPackage("tenon..")
                .and()
                .resideOutsideOfPackages("tenon.engine.backend.cuda..", "tenon.engine.nativelib..")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("jcuda..")
                .because("everything else works where CUDA does not exist"));
    }

    @Test
    void trainingKnowsNoFormatsOfOtherPrograms() {
        check(noClasses()
                .that()
                .resideInAPackage("tenon.apps.training..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("tenon.apps.pretrained..", "tenon.io.weights..")
                .because("what reads weights knows networks; training asks for it as a service, WeightsReader"));
    }

    @Test
    void topLevelPackagesFormNoCycle() {
        check(slices().matching("tenon.(*)..").should().beFreeOfCycles());
    }

    private static void check(ArchRule rule) {
        rule.allowEmptyShould(true).check(classes);
    }

    private static String packagesOf(String module) {
        return "tenon." + module + "..";
    }
}
