package jacquard.clip.cli.options;

import jacquard.clip.Clip;
import jacquard.clip.checkpoint.ModelFiles;
import jacquard.clip.hub.Hub;
import jacquard.clip.hub.Published;
import java.io.IOException;
import java.nio.file.Path;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// A trained model.
public final class ModelOptions {
  @Parameters(index = "0", paramLabel = "MODEL", description =
      "A folder with weights and their config, as runs/emoji-1/last; a file of weights with its config beside it; "
      + "hf-hub:ORG/NAME[@revision]; or, with --pretrained, "
      + "a model's name.") public String model;
  @Option(names = "--pretrained", paramLabel = "TAG", description =
      "Of a model's name: the tag of published weights (./jacquard models --tags), which are downloaded, or a file of weights.")
  public String pretrained;
  @Option(names = "--adapter", paramLabel = "FOLDER",
      description = "A LoRA or DoRA adapter as PEFT writes it (adapter_config.json, adapter_model.safetensors), "
      + "or a prompt or head that tune has learned (learned.safetensors).")
  Path adapter;
  @Mixin public ConfigOptions config;
  @Mixin DeviceOptions device;

  public ModelFiles files() throws IOException { return new Published(Hub.current()).files(model, pretrained); }

  public Clip load() throws IOException { return load(files()); }

  public Clip load(ModelFiles files) throws IOException {
    return Clip.load(files, adapter, device.device(), config.assignments());
  }
}
