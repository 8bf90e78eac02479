package jacquard.tests.verify;

import jacquard.clip.checkpoint.Checkpoint;
import jacquard.clip.checkpoint.Safetensors;
import jacquard.clip.model.ClipConfig;
import jacquard.tensor.Scope;
import jacquard.tests.Conformance;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/// One tiny model in the formats that people have weights in.
public final class CheckpointsFamily implements Family {
  @Override public String name() { return "checkpoints"; }

  @Override public void verify(Path folder, Report report) throws IOException {
    for (var form : List.of("hub", "sharded")) {
      if (!Files.exists(folder.resolve(form))) continue;
      try (var scope = Scope.open(Conformance.device()); var io = Safetensors.open(folder.resolve("io.safetensors"))) {
        var model = Checkpoint.load(ClipConfig.read(form.equals("hub") ? folder.resolve("hub/open_clip_config.json") : folder.resolve("config.json")), folder.resolve(form));
        report.check("checkpoints/" + form + " image features", Measure.error(model.visual().features(ModelsFamily.images(io, "images")).floats(), io.floats("image_features")), 1e-5);
        report.check("checkpoints/" + form + " text features", Measure.error(model.text().features(ModelsFamily.tokens(io, "tokens")).floats(), io.floats("text_features")), 1e-5);
      } catch (IOException | RuntimeException e) { report.failed("checkpoints/" + form, e); }
    }
    try (var all = Files.list(folder)) {
      for (var f : all.sorted().toList()) {
        var n = f.getFileName().toString();
        if (!List.of("hub", "sharded", "config.json", "io.safetensors").contains(n)) report.skipped("checkpoints/" + n, "this format is not built yet");
      }
    }
  }
}
