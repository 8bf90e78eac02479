package jacquard.tests.verify.train;

import jacquard.clip.checkpoint.Checkpoint;
import jacquard.clip.model.ClipConfig;
import jacquard.clip.train.task.Match;
import jacquard.tensor.Scope;
import jacquard.tests.Conformance;
import jacquard.tests.verify.Family;
import jacquard.tests.verify.Report;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/// Whole small trainings: loss and learning rate of each step beside the recorded run.
public final class TrainFamily implements Family {
  @Override public String name() { return "train"; }

  @Override public void verify(Path folder, Report report) throws IOException {
    try (var runs = Files.list(folder)) {
      for (var run : runs.filter(Files::isDirectory).sorted().toList()) {
        var name = "train/" + run.getFileName();
        try { verifyRun(RecordedTraining.read(name, run), report); } catch (IOException | RuntimeException e) {
          report.failed(name, e);
        }
      }
    }
  }

  private static void verifyRun(RecordedTraining run, Report report) throws IOException {
    try (var _ = Scope.open(Conformance.device())) {
      var model = Checkpoint.load(ClipConfig.read(run.folder().resolve("config.json")),
          run.folder().resolve("start.safetensors"));
      boolean softmax = model.logitBias() == null;
      run.run(new Match(model, softmax ? Match.Loss.SOFTMAX : Match.Loss.SIGMOID), softmax ? 1e-5
          : 5e-4, report);
      System.out.printf("        %s end weights differ by %.2g of their largest (for information)%n", run.name(),
          run.distance(model, "end.safetensors").relative());
    }
  }
}
