package jacquard.clip.cli;

import jacquard.clip.Clip;
import java.io.IOException;
import java.nio.file.Path;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/// A trained model.
final class ModelOptions {
  @Parameters(index = "0", paramLabel = "MODEL", description = "Folder with open_clip_config.json and open_clip_model.safetensors, as runs/emoji-1/last.") Path folder;
  @Mixin ConfigOptions config;
  @Mixin DeviceOptions device;

  Clip load() throws IOException { return Clip.load(folder, device.device(), config.assignments()); }
}
