package jacquard.clip.cli.train.options;

import jacquard.autograd.Optimizer;
import jacquard.autograd.Schedule;
import jacquard.clip.model.ClipConfig;
import jacquard.clip.model.ClipModel;
import jacquard.clip.train.Optimization;
import jacquard.clip.train.parameter.NamedRule;
import jacquard.clip.train.parameter.Rates;
import java.util.List;
import java.util.Locale;
import java.util.function.Predicate;
import picocli.CommandLine.Option;

/// The optimizer and its learning rate.
public final class OptimizerOptions {
  @Option(names = "--opt", paramLabel = "NAME",
      description = "adamw, nadamw, sgd with Nesterov momentum, stableadamw (AdamW whose steps are cut where gradients "
          + "grow suddenly), or timm's: timm/lamb, timm/lion, timm/adafactor, timm/adafactorbv, timm/muon, timm/nmuon, "
          + "timm/adamw, timm/nadamw (default: ${DEFAULT-VALUE}).")
  String name = "adamw";
  @Option(names = "--lr", paramLabel = "RATE", description = "Largest learning rate (default: ${DEFAULT-VALUE}).")
  double rate = 1.2e-3;
  @Option(names = "--warmup", paramLabel = "STEPS", description = "Steps of warm-up (default: ${DEFAULT-VALUE}).")
  long warmup = 50;
  @Option(names = "--lr-scheduler", paramLabel = "NAME",
      description = "cosine, const or const-cooldown (default: ${DEFAULT-VALUE}).")
  String scheduler = "cosine";
  @Option(names = "--skip-scheduler", description = "The rate of --lr at every step, without warm-up.")
  boolean constant;
  @Option(names = "--epochs-cooldown", paramLabel = "N",
      description = "Length of the cooldown of const-cooldown, in epochs (default: ${DEFAULT-VALUE}).")
  int cooldown = 1;
  @Option(names = "--lr-cooldown-end", paramLabel = "RATE",
      description = "Last rate of const-cooldown (default: ${DEFAULT-VALUE}).")
  double cooldownEnd = 0;
  @Option(names = "--lr-cooldown-power", paramLabel = "X",
      description = "Power of const-cooldown (default: ${DEFAULT-VALUE}).")
  double cooldownPower = 1;
  @Option(names = "--wd", paramLabel = "X",
      description = "Weight decay; none on vectors, scalars and embeddings of positions (default: ${DEFAULT-VALUE}).")
  double decay = 0.2;
  @Option(names = "--beta1", paramLabel = "X",
      description = "Of AdamW: how long gradients are remembered (default: ${DEFAULT-VALUE}).")
  double beta1 = 0.9;
  @Option(names = "--beta2", paramLabel = "X",
      description = "The same of squared gradients (default: ${DEFAULT-VALUE}).")
  double beta2 = 0.98;
  @Option(names = "--eps", paramLabel = "X",
      description = "Added to the root of the squares (default, as OpenCLIP: 1e-6 where the model's name holds "
          + "\"vit\", else 1e-8).")
  Double epsilon;
  @Option(names = "--momentum", paramLabel = "X",
      description = "Of --opt sgd; 0 for plain descent (default: ${DEFAULT-VALUE}).")
  double momentum = 0.9;
  @Option(names = "--grad-clip-norm", paramLabel = "X",
      description = "Limit of the gradient norm; 0 for none, which takes least memory: no gradient waits for the "
          + "others (default: ${DEFAULT-VALUE}).")
  public double clip = 1;

  @Option(names = "--wd-exclude", arity = "1..*", paramLabel = "GLOB",
      description = "Parameters without weight decay, beside those that have none, by patterns of OpenCLIP's names: "
          + "*.bias, visual.proj*.")
  List<String> undecayed = List.of();
  @Option(names = {"--image-layer-decay", "--visual-layer-decay"}, paramLabel = "X",
      description = "The image tower's learning rate falls by this factor from each group to the one before it; the "
          + "last group (projection) has the whole rate (default: ${DEFAULT-VALUE}).")
  double imageLayers = 1;
  @Option(names = "--text-layer-decay", paramLabel = "X",
      description = "The same of the text tower (default: ${DEFAULT-VALUE}).")
  double textLayers = 1;
  @Option(names = "--text-pooler-own-group",
      description = "For --text-layer-decay and --lock-text-unlocked-layers the text tower's pooler is a group of its "
          + "own below the projection (of a modern text tower: belongs to the last block), not of the projection's.")
  public boolean poolerApart;
  @Option(names = "--opt-fallback-list", arity = "1..*", paramLabel = "GLOB",
      description = "Parameters that timm/muon leaves to AdamW, beside vectors and thin matrices, by patterns of "
          + "OpenCLIP's names: *embedding*, *.proj.")
  List<String> others = List.of();
  @Option(names = "--opt-kwargs", arity = "1..*", paramLabel = "KEY=VALUE",
      description = "What an optimizer has besides, under PyTorch's and timm's names: betas=(0.9,0.95), eps; of nadamw "
          + "momentum_decay; of timm/lamb max_grad_norm, trust_clip, always_adapt; of timm/adafactor decay_rate, "
          + "clip_threshold, min_dim_size_to_factor; of timm/adafactorbv decay_rate, beta2_cap, "
          + "min_dim_size_to_factor; of timm/muon nesterov, fallback_lr_scale; of those with one, momentum.")
  List<String> keywords = List.of();
  @Option(names = "--skip-wild", paramLabel = "X",
      description = "Leaves out steps whose gradient norm is more than X times the median of the last 100, or not "
          + "finite; ten in a row end the run (10, say; default: a norm that is not finite ends it).")
  Double wild;
  @Option(names = "--all-patches-epochs", paramLabel = "N",
      description = "The last N epochs see all patches, whatever the patch dropout; parts of epochs too.")
  double allPatches = 0;
  @Option(names = "--embedding-statistics",
      description = "Measures in evaluations how features lie: alignment, uniformity and effective rank.")
  boolean statistics;
  @Option(names = "--layer-norms",
      description = "Logs the gradient's norm of each layer too, every tenth step.")
  boolean layers;
  @Option(names = "--recover-spikes",
      description = "Goes back to the last checkpoint where the loss has stayed more than four deviations above its "
          + "mean for 50 steps, and on with the samples that come next, at half the rate for 1,000 steps.")
  boolean recovers;
  @Option(names = "--ema", paramLabel = "X",
      description = "Keeps running averages of the weights, of which X stays at each step (0.999, say): evaluated "
          + "beside the weights and saved in averages/.")
  Double average;

  /// Those of a fine-tuning: a smaller rate, no warm-up.
  public static OptimizerOptions tuning() {
    var r = new OptimizerOptions();
    r.rate = 3e-4;
    r.warmup = 0;
    return r;
  }

  /// With another largest rate.
  public void rate(double other) { rate = other; }

  /// Without weight decay.
  public void undecayed() { decay = 0; }

  /// How a model of this title learns.
  ///
  /// @param accumulate micro-batches a step
  public Optimization how(ClipConfig config, String title, long total, long perEpoch, int accumulate) {
    within("--all-patches-epochs", allPatches, 0, Double.MAX_VALUE);
    if (wild != null && !(wild > 1))
      throw new IllegalArgumentException("--skip-wild " + wild + ", expected more than 1");
    long whole = allPatches == 0 ? Long.MAX_VALUE : total - Math.round(allPatches * perEpoch);
    return new Optimization(rule(config, title), schedule(total, perEpoch), rates(config), clip, accumulate,
        new Optimization.Watch(wild == null ? 0 : wild, whole, statistics, layers, recovers));
  }

  /// How fast each parameter of a model learns.
  Rates rates(ClipConfig config) {
    share("--image-layer-decay", imageLayers);
    share("--text-layer-decay", textLayers);
    return new Rates(decay, imageLayers, textLayers, undecayed, poolerApart).check(ClipModel.describe(config));
  }

  /// How much of the running averages stays at a step; 0 for none.
  public double average() {
    if (average != null && !(average > 0 && average < 1))
      throw new IllegalArgumentException("--ema " + average + ", expected more than 0 and less than 1");
    return average == null ? 0 : average;
  }

  /// @param title the model's name. OpenCLIP's ε follows from it, and it matters: gradients of a ResNet's last stages
  /// and of
  ///   its attention pool are 1e-6 and less, and beside an ε of 1e-6 they would learn at half speed or not at all
  private Optimizer.Rule rule(ClipConfig config, String title) {
    within("--beta1", beta1, 0, 1);
    within("--beta2", beta2, 0, 1);
    within("--momentum", momentum, 0, 1);
    within("--wd", decay, 0, Double.MAX_VALUE);
    within("--grad-clip-norm", clip, 0, Double.MAX_VALUE);
    if (epsilon != null) within("--eps", epsilon, Double.MIN_VALUE, Double.MAX_VALUE);
    double epsilon = this.epsilon != null ? this.epsilon : title.toLowerCase(Locale.ROOT).contains("vit") ? 1e-6 : 1e-8;
    return NamedRule.of(name, new NamedRule.Usual(beta1, beta2, epsilon, momentum), keywords, () -> excluded(config));
  }

  /// Paths that another rule than Muon's changes.
  private Predicate<String> excluded(ClipConfig config) {
    return Rates.matching("--opt-fallback-list", others, ClipModel.describe(config));
  }

  private static void share(String option, double value) {
    if (!(value > 0 && value <= 1))
      throw new IllegalArgumentException(option + " " + value + ", expected more than 0 and at most 1");
  }

  private static void within(String option, double value, double least, double below) {
    if (!(value >= least && value < below))
      throw new IllegalArgumentException(option + " " + value + ", expected "
          + (least > 0 ? "more than 0" : "0 or more")
          + (below == 1 ? " and less than 1" : ""));
  }

  Schedule schedule(long total, long perEpoch) {
    within("--lr", rate, 0, Double.MAX_VALUE);
    within("--warmup", warmup, 0, Double.MAX_VALUE);
    within("--epochs-cooldown", cooldown, 0, Double.MAX_VALUE);
    within("--lr-cooldown-end", cooldownEnd, 0, Double.MAX_VALUE);
    within("--lr-cooldown-power", cooldownPower, Double.MIN_VALUE, Double.MAX_VALUE);
    if (constant) return new Schedule.Constant(rate, 0);
    if (warmup >= total)
      throw new IllegalArgumentException("--warmup " + warmup + " is no less than the " + total
          + " steps of the run: the learning rate would never arrive; lower it, or make more steps (--steps, "
              + "--epochs)");
    return switch (scheduler) {
      case "cosine" -> new Schedule.Cosine(rate, warmup, total);
      case "const" -> new Schedule.Constant(rate, warmup);
      case "const-cooldown" -> new Schedule.Cooldown(rate, warmup, total, cooldown * perEpoch, cooldownPower,
          cooldownEnd);
      default -> throw new IllegalArgumentException("--lr-scheduler " + scheduler
          + ", expected cosine, const or const-cooldown");
    };
  }
}
