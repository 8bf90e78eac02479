package jacquard.tests;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;

import com.tngtech.archunit.core.importer.ClassFileImporter;
import org.junit.jupiter.api.Test;

class LayeringTest {
  @Test void roomsLookOnlyDown() {
    layeredArchitecture().consideringOnlyDependenciesInLayers()
        .layer("tensor").definedBy("jacquard.tensor..").layer("autograd").definedBy("jacquard.autograd..")
        .layer("kernels").definedBy("jacquard.kernels..").layer("clip").definedBy("jacquard.clip..")
        .whereLayer("tensor").mayNotAccessAnyLayer()
        .whereLayer("autograd").mayOnlyAccessLayers("tensor")
        .whereLayer("kernels").mayOnlyAccessLayers("tensor")
        .whereLayer("clip").mayOnlyAccessLayers("tensor", "autograd")
        .check(new ClassFileImporter()
        .importPackages("jacquard.tensor", "jacquard.autograd", "jacquard.kernels", "jacquard.clip"));
  }

  /// Who embeds carries no charts: progress is told to a listener.
  @Test void evaluationKnowsNoReport() {
    noClasses().that().resideInAPackage("jacquard.clip.eval").or().haveFullyQualifiedName("jacquard.clip.Clip").should()
        .dependOnClassesThat().resideInAPackage("jacquard.clip.report..")
        .check(new ClassFileImporter().importPackages("jacquard.clip"));
  }

  /// What is trained only tasks know; who makes the steps, gradients and checkpoints does not.
  @Test void theLoopKnowsNoModel() {
    noClasses().that().haveNameMatching("jacquard\\.clip\\.train\\.(Loop|Gradients|State|Norms|Listener.*)").should()
        .dependOnClassesThat().resideInAnyPackage("jacquard.clip.model..", "jacquard.clip.nn..", "jacquard.clip.loss..")
        .check(new ClassFileImporter().importPackages("jacquard.clip"));
  }
}
