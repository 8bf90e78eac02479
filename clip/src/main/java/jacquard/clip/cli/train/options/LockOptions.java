package jacquard.clip.cli.train.options;

import jacquard.clip.train.parameter.Locks;
import java.util.OptionalInt;
import picocli.CommandLine.Option;

/// Towers that are not trained.
public final class LockOptions {
  @Option(names = "--lock-image", description = "Freezes the image tower.") boolean image;
  @Option(names = "--lock-image-unlocked-groups", paramLabel = "N",
      description = "But for its last N groups: projection, then blocks or stages (default: ${DEFAULT-VALUE}).")
  int imageGroups = 0;
  @Option(names = "--lock-image-freeze-bn-stats", description = "Frozen batch norms keep their running statistics too.")
  boolean statistics;
  @Option(names = "--lock-text", description = "Freezes the text tower, layer norms too.") boolean text;
  @Option(names = "--lock-text-unlocked-layers", paramLabel = "N",
      description = "But for its last N groups: projection, then blocks (default: ${DEFAULT-VALUE}).")
  int textGroups = 0;

  /// @param poolerApart whether the text tower's pooler stands below its head
  public Locks locks(boolean poolerApart) {
    if (!image && (imageGroups != 0 || statistics))
      throw new IllegalArgumentException("--lock-image-unlocked-groups and --lock-image-freeze-bn-stats need "
          + "--lock-image");
    if (!text && textGroups != 0) throw new IllegalArgumentException("--lock-text-unlocked-layers needs --lock-text");
    return new Locks(image ? OptionalInt.of(imageGroups) : OptionalInt.empty(), text ? OptionalInt.of(textGroups)
        : OptionalInt.empty(), statistics, poolerApart);
  }
}
