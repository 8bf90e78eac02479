package jacquard.clip.cli.train.options;

import jacquard.clip.checkpoint.ModelFiles;
import jacquard.clip.cli.options.ConfigOptions;
import jacquard.clip.hub.Environment;
import jacquard.clip.hub.Hub;
import jacquard.clip.hub.Published;
import jacquard.clip.image.PreprocessConfig;
import jacquard.clip.model.ClipConfig;
import jacquard.clip.model.HubConfig;
import jacquard.clip.model.Presets;
import jacquard.clip.text.TokenizerFiles;
import jacquard.clip.train.RunFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// The model that is trained and the weights that it begins from.
public final class StartOptions {
  @Option(names = "--model", paramLabel = "NAME",
      description = "A preset (jacquard models), a JSON file in OpenCLIP's form, or hf-hub:ORG/NAME[@revision], "
          + "whose weights it then begins from (default: that of --pretrained, or emoji).")
  public String name;
  @Option(names = "--pretrained", paramLabel = "WEIGHTS",
      description = "Weights to begin from: a tag of the preset (jacquard models --tags), a folder as OpenCLIP's hub "
          + "lays it out, a file of weights, or hf-hub:ORG/NAME[@revision]. What is not here yet is downloaded.")
  public String pretrained;
  @Option(names = "--cache-dir", paramLabel = "FOLDER",
      description = "Where what is downloaded is kept (default: as HF_HUB_CACHE or HF_HOME say, else "
          + "~/.cache/huggingface/hub).")
  Path cache;
  @Parameters(arity = "0..1", paramLabel = "MODEL", description = "The same as --model.") public String first;

  @Option(names = "--pretrained-image", paramLabel = "PATH",
      description = "Weights for the image tower alone: another CLIP's, or a bare one of timm's (model.safetensors of "
          + "timm/…, or its state dict), whose projection begins anew.")
  public Path image;

  /// What a training begins with.
  ///
  /// @param pictures  how they are prepared
  /// @param weights   null for those that the seed draws
  /// @param tokenizer the folder of its files; null where it is CLIP's own
  public record Start(ClipConfig config, PreprocessConfig pictures, Path weights, Path tokenizer) {}

  /// The model's name, as it was given; null where none was.
  public String model() {
    if (first != null && name != null)
      throw new IllegalArgumentException("MODEL " + first + " and --model " + name + " say the same; give one of them");
    return first != null ? first : name;
  }

  public String title() { return model() != null ? model() : pretrained != null ? pretrained : "emoji"; }

  /// Whether the seed draws the weights.
  public boolean drawn() { return pretrained == null && !Published.address(title()); }

  /// @param going the folder of a run that goes on from a checkpoint: then all is there, and nothing is looked for
  ///              elsewhere; else null
  public Start start(ConfigOptions changes, Path going) throws IOException {
    if (image != null && going == null && !Files.exists(image))
      throw new IOException("--pretrained-image " + image + ": no such file or folder");
    var files = going == null ? files() : RunFolder.files(going);
    var config = changes.of(files.config().model());
    config.unsupported().ifPresent(why -> {
      throw new IllegalArgumentException("--model " + title() + " is not built yet: " + why);
    });
    var text = config.text().input();
    int vocabulary = text.captions(files.tokenizer()).vocabulary();
    int known = config.json().path("text_cfg").path("vocab_size").asInt(Integer.MAX_VALUE);
    if (text.clip() && known < vocabulary)
      throw new IllegalArgumentException("text_cfg.vocab_size is %,d, CLIP's tokenizer needs %,d".formatted(known,
          vocabulary));
    var size = config.vision().input();
    return new Start(config, files.config().preprocess().size(size.height(), size.width()), files.weights(),
        text.clip() ? null : files.tokenizer());
  }

  private ModelFiles files() throws IOException {
    var environment = Environment.current();
    var published = new Published(new Hub(cache == null ? environment : environment.cache(cache)));
    if (pretrained != null && model() == null) return published.files(pretrained, null);
    if (Published.address(title()) && pretrained != null)
      throw new IllegalArgumentException("--pretrained " + pretrained + " with " + title()
          + ", which has weights of its own; give one of them");
    if (pretrained != null || Published.address(title())) return published.files(title(), pretrained);
    boolean file = title().endsWith(".json");
    var config = file ? ClipConfig.read(Path.of(title())) : Presets.of(title());
    config.unsupported().ifPresent(why -> {
      throw new IllegalArgumentException("--model " + title() + " is not built yet: " + why);
    });
    var beside = file ? Path.of(title()).toAbsolutePath().getParent() : null;
    boolean has = beside != null && TokenizerFiles.in(beside, config.text().input().tokenizer());
    return new ModelFiles(new HubConfig(config, HubConfig.preprocess(config)), null, has ? beside
        : published.tokenizer(config));
  }
}
