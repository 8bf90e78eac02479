package jacquard.clip.cli.options.data;

import jacquard.clip.data.Framing;
import jacquard.clip.data.Stream;
import jacquard.clip.data.naflex.Budget;
import jacquard.clip.data.naflex.FlexStream;
import jacquard.clip.image.PatchFrame;
import jacquard.clip.model.ClipConfig;
import jacquard.clip.model.ClipModel;
import jacquard.clip.model.timm.TimmConfig;
import jacquard.clip.model.timm.naflex.Forced;
import java.util.List;
import java.util.Locale;
import java.util.TreeMap;
import picocli.CommandLine.Option;

/// Training on pictures of any size and shape.
public final class NaFlexOptions {
  @Option(names = "--use-naflex",
      description = "Pictures keep their proportions: each goes into patches, at most as many as the step draws, and a "
      + "step has as many pictures as its tokens allow. Needs a NaFlex tower (./jacquard models: naflex…) or "
          + "--force-naflex-vision.")
  public boolean use;
  @Option(names = "--force-naflex-vision",
      description = "Makes a NaFlex tower of OpenCLIP's own ViT, its weights those of the ViT.")
  boolean force;
  @Option(names = "--naflex-seq-lens", arity = "1..*", paramLabel = "N",
      description =
      "Patches of a picture at most, one of which each step draws (default: 128 256 576 784 1024). The largest "
      + "is used in evaluation (default: the model's own, image_seq_len).")
  List<Integer> lengths = List.of();
  @Option(names = "--naflex-seq-len-probs", arity = "1..*", paramLabel = "P",
      description = "How often each is drawn (default: equally often).")
  List<Double> lengthChances = List.of();
  @Option(names = "--naflex-max-tokens-per-batch", paramLabel = "N",
      description = "Tokens of a micro-batch and rank: patches, and with GenLIP captions (default: ${DEFAULT-VALUE}).")
  public int tokens = Budget.TOKENS;
  @Option(names = "--naflex-max-text-tokens", paramLabel = "N",
      description =
      "With GenLIP: tokens of a caption at most, which each picture counts beside its patches (default: the model's "
          + "context).")
  Integer words;
  @Option(names = "--naflex-batch-divisor", paramLabel = "N",
      description = "The pictures of a micro-batch and rank are a multiple of it (default: ${DEFAULT-VALUE}).")
  int divisor = Budget.DIVISOR;
  @Option(names = "--naflex-num-train-image-tokens", paramLabel = "N",
      description = "Patches an epoch, in place of all pairs.")
  Long perEpoch;
  @Option(names = "--naflex-patch-sizes", arity = "1..*", paramLabel = "PIXELS",
      description =
      "Sides of a patch, one of which each step draws; weights are resampled (default: the model's own). Evaluation "
          + "uses the model's own.")
  List<Integer> sides = List.of();
  @Option(names = "--naflex-patch-size-probs", arity = "1..*", paramLabel = "P",
      description = "How often each is drawn (default: equally often).")
  List<Double> sideChances = List.of();
  @Option(names = "--naflex-loss-scale", paramLabel = "KIND",
      description =
      "Multiplies the loss by the pictures of a micro-batch over --batch-size (linear), its root (sqrt), or not "
          + "(default: none).")
  String scale = "none";

  /// The config with the patches that evaluation has room for.
  ///
  /// @throws IllegalArgumentException if the model takes pictures of one size, or an option is given without
  /// --use-naflex
  public ClipConfig over(ClipConfig given) {
    var config = force ? Forced.of(given) : given;
    if (!use) {
      if (!lengths.isEmpty() || !lengthChances.isEmpty() || tokens != Budget.TOKENS || words != null
          || divisor != Budget.DIVISOR || perEpoch != null || !sides.isEmpty() || !sideChances.isEmpty()
          || !scale.equals("none"))
        throw new IllegalArgumentException("--naflex-… options need --use-naflex");
      return config;
    }
    frame(config);
    if (!(config.vision() instanceof TimmConfig t) || lengths.isEmpty() && t.imageSeqLen().isPresent()) return config;
    var all = lengths.isEmpty() ? Budget.LENGTHS : lengths;
    return config.with("vision_cfg.image_seq_len=" + all.stream().mapToInt(n -> n).max().getAsInt());
  }

  private static PatchFrame frame(ClipConfig config) {
    return ClipModel.describe(config).visual().frame().orElseThrow(() -> new IllegalArgumentException(
        "--use-naflex: the image tower takes pictures of one size, " + config.vision().input()
            + "; expected a NaFlex model (./jacquard models: naflex…), or --force-naflex-vision with a ViT"));
  }

  /// Tokens of a caption.
  public int context(ClipConfig config) {
    int all = config.text().input().context();
    return words == null ? all : Math.min(words, all);
  }

  Budget budget(ClipConfig config) {
    positive("--naflex-max-tokens-per-batch", tokens);
    positive("--naflex-batch-divisor", divisor);
    if (perEpoch != null) positive("--naflex-num-train-image-tokens", perEpoch);
    if (words != null) {
      if (config.compares()) throw new IllegalArgumentException("--naflex-max-text-tokens is for GenLIP, whose trunk "
          + "reads captions too; --force-context-length sets the caption length of other models");
      positive("--naflex-max-text-tokens", words);
    }
    int own = frame(config).side();
    if (!config.compares() && !sides.isEmpty() && !sides.equals(List.of(own)))
      throw new IllegalArgumentException("--naflex-patch-sizes " + sides + ": GenLIP's patches have " + own
          + " pixels a side and are not resampled");
    var chances = new TreeMap<Integer, Double>();
    var given = lengths.isEmpty() ? Budget.LENGTHS : lengths;
    var drawn = chances("--naflex-seq-len-probs", lengthChances, given.size());
    for (int i = 0; i < given.size(); i++) {
      positive("--naflex-seq-lens", given.get(i));
      if (lengthChances.isEmpty()) chances.put(given.get(i), 1.0); else chances.put(given.get(i), drawn.get(i));
    }
    sides.forEach(s -> positive("--naflex-patch-sizes", s));
    var patches = sides.isEmpty() ? List.of(own) : sides;
    return new Budget(List.copyOf(chances.keySet()), List.copyOf(chances.values()), patches,
        chances("--naflex-patch-size-probs", sideChances, patches.size()), tokens, divisor,
        config.compares() ? 0 : context(config), perEpoch == null ? 0 : perEpoch);
  }

  private static List<Double> chances(String option, List<Double> given, int n) {
    if (given.isEmpty()) return Budget.equal(n);
    if (given.size() != n) throw new IllegalArgumentException(option + ": " + given.size() + " numbers, expected " + n);
    if (given.stream().anyMatch(p -> !(p >= 0 && p < 1e9)) || given.stream().mapToDouble(p -> p).sum() <= 0)
      throw new IllegalArgumentException(option + " " + given + ", expected numbers of 0 or more, one of them more");
    return given;
  }

  /// @param samples in their own order
  /// @param shares  ranks times micro-batches
  /// @param nominal --batch-size
  public Stream stream(Stream.Numbered samples, Framing.Whole framing, ClipConfig config, int shares, int nominal,
      long seed) {
    return new FlexStream(samples, budget(config), framing, shares, new FlexStream.Weight(scale(), nominal), seed);
  }

  /// Steps an epoch of so many samples.
  public long perEpoch(ClipConfig config, long samples, int shares, long seed) {
    return FlexStream.schedule(budget(config), samples / shares, seed).steps().size();
  }

  private FlexStream.Scale scale() {
    try { return FlexStream.Scale.valueOf(scale.toUpperCase(Locale.ROOT)); } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException("--naflex-loss-scale " + scale + ", expected none, linear or sqrt", e);
    }
  }

  private static void positive(String option, long value) {
    if (value < 1) throw new IllegalArgumentException(option + " " + value + ", expected at least 1");
  }
}
