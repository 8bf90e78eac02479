package jacquard.clip.model.resnet;

import jacquard.clip.model.ImageConfig;
import jacquard.clip.model.ImageSize;
import jacquard.clip.settings.Settings;
import jacquard.clip.settings.Settings.Key;
import jacquard.clip.settings.Settings.Stated;
import jacquard.tensor.Grid;
import java.util.List;
import java.util.OptionalInt;

/// CLIP's ResNet.
///
/// @param stages blocks of the four stages
/// @param width channels of the stem
/// @param patchSize said by OpenCLIP's files, and without meaning here
/// @param headWidth channels a head of the attention pool
public record ResNetConfig(@Stated @Key("image_size") ImageSize size, @Stated @Key("layers") Stages stages,
    @Stated int width,
    @Stated OptionalInt patchSize, int headWidth) implements ImageConfig {
  public static final ResNetConfig DEFAULTS = new ResNetConfig(new ImageSize(224, 224),
      new Stages(List.of(3, 4, 6, 3)), 64,
      OptionalInt.of(16), 64);

  /// Blocks a stage.
  public record Stages(List<Integer> blocks) implements Settings.Form {
    public static Stages of(Object json) {
      if (json instanceof List<?> list && list.size() == 4 && list.stream()
          .allMatch(n -> n instanceof Integer i && i > 0))
        return new Stages(list.stream().map(n -> (Integer) n).toList());
      throw new IllegalArgumentException("expected a number of blocks, or a list of four for a ResNet");
    }

    public Stages {
      blocks = List.copyOf(blocks);
    }

    @Override public Object json() { return blocks; }
  }

  public ResNetConfig {
    Settings.atLeast("width", width, 1);
    Settings.atLeast("head_width", headWidth, 1);
    int heads = (int) (32L * width / headWidth);
    if (heads < 1 || 32L * width % heads != 0)
      throw new IllegalArgumentException("head_width is " + headWidth + ": " + heads
          + " heads do not divide a width of " + width);
    if (!size.square() || size.height() < 32 || width % 2 != 0)
      throw new IllegalArgumentException("layers are " + stages.blocks
          + ": a ResNet needs an even width and a square image of at least 32 pixels, found " + width + " and "
              + size.json());
  }

  @Override public ResNetConfig defaults() { return DEFAULTS; }

  @Override public Grid input() { return size.grid(); }

  /// Blocks of each of the four stages.
  public List<Integer> layers() { return stages.blocks; }

  /// Heads of the attention pool: `32·width / head_width`.
  public int heads() { return (int) (32L * width / headWidth); }

  /// The last feature map: a cell is 32 pixels wide.
  public Grid grid() { return new Grid(size.height() / 32, size.width() / 32); }
}
