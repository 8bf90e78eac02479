package jacquard.clip.cli.train;

import jacquard.clip.cli.options.ConfigOptions;
import jacquard.clip.image.PreprocessConfig;
import jacquard.clip.model.ClipConfig;
import jacquard.clip.model.HubConfig;
import jacquard.clip.model.Presets;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import picocli.CommandLine.Option;

/// The model that is trained and the weights that it begins from.
final class StartOptions {
  @Option(names = "--model", paramLabel = "NAME",
      description = "A preset (./jacquard models), or a JSON file in OpenCLIP's form (default: that of --pretrained, "
          + "or emoji).")
  String name;
  @Option(names = "--pretrained", paramLabel = "PATH",
      description = "Weights to begin from: a folder as OpenCLIP's hub lays it out, or a .safetensors file.")
  Path pretrained;

  Path hub() {
    return name == null && pretrained != null && Files.exists(pretrained.resolve("open_clip_config.json"))
        ? pretrained.resolve("open_clip_config.json") : null;
  }
  /// Where the tokenizer's files may lie; null if nowhere.
  Path folder() {
    return pretrained == null ? null : Files.isDirectory(pretrained) ? pretrained : pretrained.toAbsolutePath()
        .getParent();
  }

  String title() { return name != null ? name : hub() != null ? pretrained.toString() : "emoji"; }

  ClipConfig read(ConfigOptions config) throws IOException {
    if (pretrained != null && !Files.exists(pretrained))
      throw new IOException("--pretrained " + pretrained
          + ": no such file or folder. Training begins from weights that lie here: "
          + "./jacquard download MODEL --pretrained TAG (or hf-hub:ORG/NAME) fetches published ones and names their folder");
    var found = config.of(hub() != null ? ClipConfig.read(hub()) : title().endsWith(".json")
        ? ClipConfig.read(Path.of(name)) : Presets.of(title()));
    found.unsupported().ifPresent(why -> { throw new IllegalArgumentException("--model " + title()
        + " is not built yet: " + why); });
    var text = found.text().input();
    int vocabulary = text.captions(folder()).vocabulary();
    int known = found.json().path("text_cfg").path("vocab_size").asInt(Integer.MAX_VALUE);
    if (text.clip() && known < vocabulary)
      throw new IllegalArgumentException("text_cfg.vocab_size is %,d, CLIP's tokenizer needs %,d".formatted(known,
          vocabulary));
    return found;
  }

  PreprocessConfig preprocess(ClipConfig config) throws IOException {
    var size = config.vision().input();
    return hub() == null ? HubConfig.preprocess(config) : HubConfig.read(hub()).preprocess()
        .size(size.height(), size.width());
  }
}
