package jacquard.tests.verify.train;

import jacquard.clip.checkpoint.Checkpoint;
import jacquard.clip.model.ClipConfig;
import jacquard.clip.model.ClipModel;
import jacquard.clip.train.Averages;
import jacquard.clip.train.Listener;
import jacquard.clip.train.task.Distill;
import jacquard.clip.train.task.Match;
import jacquard.tensor.Scope;
import jacquard.tests.Conformance;
import jacquard.tests.verify.Family;
import jacquard.tests.verify.Report;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/// OpenCLIP's own tasks: a student with a frozen teacher, and running averages of a ResNet whose batch statistics move.
public final class TasksFamily implements Family {
  private static final double END = 1e-4, LOSS = 1e-5;

  @Override public String name() { return "tasks"; }

  @Override public void verify(Path folder, Report report) throws IOException {
    try (var runs = Files.list(folder)) {
      for (var run : runs.filter(Files::isDirectory).sorted().toList()) {
        var name = "tasks/" + run.getFileName();
        try (var _ = Scope.open(Conformance.device())) {
          var recorded = RecordedTraining.read(name, run);
          var student = new Match(model(run, "config.json", "start.safetensors"), Match.Loss.SOFTMAX);
          if (Files.exists(run.resolve("teacher.safetensors"))) distill(recorded, student, report);
          else averages(recorded, student, report);
          report.check(name + " end", recorded.distance(student.model(), "end.safetensors").absolute(), END);
        } catch (IOException | RuntimeException e) { report.failed(name, e); }
      }
    }
  }

  private static ClipModel model(Path run, String config, String weights) throws IOException {
    return Checkpoint.load(ClipConfig.read(run.resolve(config)), run.resolve(weights));
  }

  private static void distill(RecordedTraining run, Match student, Report report) throws IOException {
    run.run(new Distill(student, model(run.folder(), "teacher_config.json", "teacher.safetensors")), LOSS, report);
  }

  private static void averages(RecordedTraining run, Match task, Report report) throws IOException {
    Averages plain = new Averages(task, 0.9, 0), stepped = new Averages(task, 0.9, Averages.COPIED);
    run.run(task, LOSS, report, new Listener.Averaging(plain), new Listener.Averaging(stepped));
    if (Files.exists(run.folder().resolve("end_ema_0.9.safetensors")))
      report.check(run.name() + " averages of all steps",
          run.distance(plain.averaged().model(), "end_ema_0.9.safetensors").absolute(), END);
    report.check(run.name() + " averages, the first two steps copied",
        run.distance(stepped.averaged().model(), "end_ema_0.9_step.safetensors").absolute(), END);
  }
}
