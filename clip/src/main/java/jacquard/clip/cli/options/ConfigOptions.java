package jacquard.clip.cli.options;

import jacquard.clip.model.ClipConfig;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Option;

/// Changes to a model's config: OpenCLIP's `--force-…`, and any key by its dotted path.
public final class ConfigOptions {
  @Option(names = "--force-image-size", arity = "1..2", paramLabel = "SIZE",
      description = "Another image size, one number or height and width; learned positions are resized.")
  List<Integer> imageSize = List.of();
  @Option(names = "--force-context-length", paramLabel = "TOKENS",
      description = "Another caption length; learned positions are resized.")
  Integer context;
  @Option(names = "--force-quick-gelu", description = "x·σ(1.702x) in place of GELU.") boolean quickGelu;
  @Option(names = "--force-patch-dropout", paramLabel = "SHARE",
      description = "Another share of patches left out in training.")
  Double patchDropout;
  @Option(names = "--force-custom-text", description = "The text tower's tensors under text.") boolean customText;
  @Option(names = "--set", paramLabel = "KEY=VALUE",
      description = "Any key of the config by its path, as vision_cfg.width=128; may be repeated.")
  List<String> keys = List.of();

  /// As [ClipConfig#with] takes them.
  public String[] assignments() {
    var r = new ArrayList<String>();
    if (!imageSize.isEmpty())
      r.add("vision_cfg.image_size=" + (imageSize.size() == 1 ? imageSize.getFirst() : imageSize.toString()));
    if (context != null) r.add("text_cfg.context_length=" + context);
    if (quickGelu) r.add("quick_gelu=true");
    if (patchDropout != null) r.add("vision_cfg.patch_dropout=" + patchDropout);
    if (customText) r.add("custom_text=true");
    r.addAll(keys);
    return r.toArray(String[]::new);
  }

  public ClipConfig of(ClipConfig config) { return assignments().length == 0 ? config : config.with(assignments()); }
}
