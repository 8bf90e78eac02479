package jacquard.clip.model.genlip;

import jacquard.clip.model.ImageConfig;
import jacquard.clip.model.ImageSize;
import jacquard.clip.settings.Settings.Key;
import jacquard.clip.settings.Settings.Stated;
import jacquard.tensor.Grid;
import java.util.OptionalInt;

/// The images of a model whose one trunk reads patches and words (GenLIP): no tower of its own.
///
/// @param inChans channels of the image
public record PatchConfig(@Stated @Key("image_size") ImageSize size, @Stated OptionalInt patchSize, OptionalInt inChans)
    implements ImageConfig {
  public static final PatchConfig DEFAULTS =
      new PatchConfig(new ImageSize(224, 224), OptionalInt.of(16), OptionalInt.empty());

  @Override public PatchConfig defaults() { return DEFAULTS; }

  @Override public Grid input() { return size.grid(); }
}
