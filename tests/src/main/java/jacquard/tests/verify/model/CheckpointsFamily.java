package jacquard.tests.verify.model;

import jacquard.clip.checkpoint.Checkpoint;
import jacquard.clip.checkpoint.ModelFiles;
import jacquard.clip.checkpoint.Weights;
import jacquard.clip.checkpoint.safetensors.Safetensors;
import jacquard.clip.checkpoint.torch.Torch;
import jacquard.clip.model.ClipConfig;
import jacquard.clip.model.ClipModel;
import jacquard.tensor.Scope;
import jacquard.tests.Conformance;
import jacquard.tests.verify.Family;
import jacquard.tests.verify.Measure;
import jacquard.tests.verify.Report;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/// Tiny models in the formats that people have weights in, and one at several precisions.
public final class CheckpointsFamily implements Family {
  private static final double TOLERANCE = 1e-5;
  /// Files of `variants` that are what a run computed, not weights.
  private static final List<String> NO_WEIGHTS = List.of("config.json", "io.safetensors", "resume.safetensors");

  @Override public String name() { return "checkpoints"; }

  @Override public void verify(Path folder, Report report) throws IOException {
    for (var form : List.of("hub", "sharded", "open_clip_plain.pt", "open_clip_training.pt", "legacy_pickle.pt")) {
      var path = folder.resolve(form);
      if (Files.exists(path))
        form(path, form.equals("sharded") ? folder.resolve("config.json") : null, folder.resolve("io.safetensors"),
            report, form);
    }
    for (var form : List.of("hf_clip", "hf_siglip", "siglip2_naflex", "big_vision", "big_vision_stacked", "openai")) {
      var path = folder.resolve(form);
      if (Files.exists(path))
        form(form.equals("openai") ? path.resolve("openai_jit.pt") : form.startsWith("big_vision")
            ? path.resolve("weights.npz") : path, null, path.resolve("io.safetensors"), report, form);
    }
    if (Files.exists(folder.resolve("openai"))) inferred(folder.resolve("openai"), report);
    if (Files.exists(folder.resolve("malicious.pt"))) refused(folder.resolve("malicious.pt"), report);
    if (Files.exists(folder.resolve("variants"))) variants(folder.resolve("variants"), report);
  }

  private static void form(Path path, Path config, Path expected, Report report, String name) {
    try (var _ = Scope.open(Conformance.device()); var io = Safetensors.open(expected)) {
      var files = config == null ? ModelFiles.at(path) : null;
      var model = files == null ? Checkpoint.load(ClipConfig.read(config), path)
          : Checkpoint.load(files.config().model(), files.weights());
      compare(model, io, "", report, "checkpoints/" + name);
    } catch (IOException | RuntimeException e) { report.failed("checkpoints/" + name, e); }
  }

  private static void compare(ClipModel model, Safetensors io, String prefix, Report report, String name)
      throws IOException {
    var tokens = ModelsFamily.tokens(io, "tokens");
    if (io.contains("patches")) {                                                // of transformers: normalised
      report.check(name + " image embeddings", Measure.error(model.embedImages(ModelsFamily.patches(io)).floats(),
          io.floats("image_features")), TOLERANCE);
      report.check(name + " text embeddings",
          Measure.error(model.embedTexts(tokens).floats(), io.floats("text_features")), TOLERANCE);
      return;
    }
    var images = ModelsFamily.images(io, "images");
    if (io.contains("image_embeds")) {                                           // of transformers: normalised
      report.check(name + " image embeddings",
      Measure.error(model.embedImages(images).floats(), io.floats("image_embeds")), TOLERANCE);
      report.check(name + " text embeddings",
          Measure.error(model.embedTexts(tokens).floats(), io.floats("text_embeds")), TOLERANCE);
      return;
    }
    report.check(name + " image features",
        Measure.error(model.visual().features(images).floats(), io.floats(prefix + "image_features")), TOLERANCE);
    report.check(name + " text features",
        Measure.error(model.text().features(tokens).floats(), io.floats(prefix + "text_features")), TOLERANCE);
    if (!io.contains("logit_bias")) return;
    report.check(name + " scale and bias",
        Math.max(Measure.error(model.logitScale().floats(), io.floats("logit_scale")),
        Measure.error(model.logitBias().floats(), io.floats("logit_bias"))), 0);
  }

  /// The config that the shapes tell is the recorded one.
  private static void inferred(Path folder, Report report) {
    try (var w = Weights.open(folder.resolve("openai_jit.pt"))) {
      var told = jacquard.clip.checkpoint.names.OpenAi.config(w);
      report.check("checkpoints/openai config", told.equals(ClipConfig.read(folder.resolve("config.json"))),
          told.toJson());
    } catch (IOException | RuntimeException e) { report.failed("checkpoints/openai config", e); }
  }

  private static void refused(Path file, Report report) {
    try (var w = Weights.open(file)) { report.check("checkpoints/malicious.pt", false, "was read: " + w.names()); }
    catch (IOException e) {
      report.check("checkpoints/malicious.pt", e.getMessage().contains("posix.system")
          && !Files.exists(Path.of("PWNED")), e.getMessage());
    }
    catch (RuntimeException e) { report.failed("checkpoints/malicious.pt", e); }
  }

  private static void variants(Path folder, Report report) throws IOException {
    var config = ClipConfig.read(folder.resolve("config.json"));
    try (var all = Files.list(folder); var io = Safetensors.open(folder.resolve("io.safetensors"))) {
      for (var file : all.sorted().toList()) {
        var n = file.getFileName().toString();
        if (NO_WEIGHTS.contains(n)) continue;
        var stem = n.substring(0, n.indexOf('.'));
        try (var _ = Scope.open(Conformance.device())) {
          compare(Checkpoint.load(config, file), io, stem + ".", report, "checkpoints/variants/" + n);
        }
        catch (IOException | RuntimeException e) { report.failed("checkpoints/variants/" + n, e); }
      }
      var run = folder.resolve("epoch_3.pt");
      if (!Files.exists(run)) return;
      try (var _ = Scope.open(Conformance.device())) {
        compare(Checkpoint.load(config, Torch.open(run, "state_dict_ema")), io, "epoch_3_ema.", report,
            "checkpoints/variants/epoch_3.pt averages");
      } catch (IOException | RuntimeException e) { report.failed("checkpoints/variants/epoch_3.pt averages", e); }
    }
  }
}
