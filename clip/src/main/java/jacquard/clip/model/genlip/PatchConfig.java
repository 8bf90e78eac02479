package jacquard.clip.model.genlip;

import jacquard.clip.model.ClipConfig;
import jacquard.clip.model.ImageConfig;
import jacquard.clip.model.ImageSize;
import jacquard.clip.settings.Settings;
import jacquard.clip.settings.Settings.Key;
import jacquard.clip.settings.Settings.Stated;
import jacquard.tensor.Grid;
import java.util.Optional;
import java.util.OptionalInt;

/// The images of a model whose one trunk reads patches and words (GenLIP): no tower of its own.
///
/// @param inChans channels of the image
/// @param inputNorm whether patches are normalised by themselves first
/// @param pool how patches become one row
public record PatchConfig(@Stated @Key("image_size") ImageSize size, @Stated OptionalInt patchSize, OptionalInt inChans,
    boolean inputNorm, @Key("pool_type") Pool pool) implements ImageConfig {
  public static final PatchConfig DEFAULTS = new PatchConfig(new ImageSize(224, 224), OptionalInt.of(16),
      OptionalInt.empty(), false, Pool.AVG);

  /// The mean of all patches; there is no other.
  public enum Pool { AVG }

  public PatchConfig {
    patchSize.ifPresent(p -> Settings.atLeast("patch_size", p, 1));
  }

  @Override public PatchConfig defaults() { return DEFAULTS; }

  @Override public Grid input() { return size.grid(); }

  /// Pixels of a patch, along a side.
  int side() { return patchSize.orElse(16); }

  @Override public Optional<String> refused(ClipConfig clip) {
    if (clip.other().genlipCfg().isEmpty()) return Optional.of("in_chans in vision_cfg without genlip_cfg");
    if (inChans.orElse(3) != 3) return Optional.of("in_chans " + inChans.getAsInt());
    return inputNorm ? Optional.of("input_norm") : Optional.empty();
  }
}
