package jacquard.clip.train.parameter;

import jacquard.autograd.Optimizer;
import jacquard.autograd.optimizer.Adafactor;
import jacquard.autograd.optimizer.Lamb;
import jacquard.autograd.optimizer.Lion;
import jacquard.autograd.optimizer.Lookahead;
import jacquard.autograd.optimizer.Muon;
import jacquard.autograd.optimizer.Slowed;
import jacquard.autograd.optimizer.StableAdamW;
import java.util.List;
import java.util.function.Predicate;
import java.util.function.Supplier;

/// The rule that `--opt` names, with what `--opt-kwargs` says over the usual numbers.
public final class NamedRule {
  /// What all options of optimizers say; a rule takes what it has.
  public record Usual(double beta1, double beta2, double epsilon, double momentum) {}

  /// A rule of β₁, β₂ and ε.
  private interface Adam<R extends Optimizer.Rule> { R of(double beta1, double beta2, double epsilon); }

  private final String name;
  private final Usual usual;
  private final RuleKeywords keys;
  private final Supplier<Predicate<String>> excluded;

  private NamedRule(String name, Usual usual, RuleKeywords keys, Supplier<Predicate<String>> excluded) {
    this.name = name;
    this.usual = usual;
    this.keys = keys;
    this.excluded = excluded;
  }

  /// @param keywords `key=value` each
  /// @param excluded paths that Muon leaves to another rule
  /// @throws IllegalArgumentException naming a keyword that the rule has not, and those that it has
  public static Optimizer.Rule of(String name, Usual usual, List<String> keywords,
      Supplier<Predicate<String>> excluded) {
    var keys = new RuleKeywords(name, keywords);
    var rule = new NamedRule(name, usual, keys, excluded).rule();
    keys.done();
    return rule;
  }

  private Optimizer.Rule rule() {
    return switch (name) {
      case "adamw", "timm/adamw" -> adam(Optimizer.AdamW::new);
      case "nadamw" -> {
        double growth = keys.number("momentum_decay", 4e-3, v -> v >= 0, "a number of 0 or more");
        yield adam((b1, b2, e) -> new Optimizer.NAdamW(b1, b2, e, growth));
      }
      case "sgd" -> {
        double m = keys.share("momentum", usual.momentum);
        yield new Optimizer.Sgd(m, keys.truth("nesterov", m > 0));
      }
      case "timm/nadamw" -> adam(Lookahead::new);
      case "stableadamw" -> adam(StableAdamW::new);
      case "timm/lamb" -> lamb();
      case "timm/lion" -> {
        double[] b = keys.betas(usual.beta1, usual.beta2);
        yield new Lion(b[0], b[1]);
      }
      case "timm/adafactor" -> {
        var r = Adafactor.TIMM;
        yield new Adafactor(-keys.number("decay_rate", -r.fall(), v -> v < 0, "a number below 0"), r.most(),
            keys.whole("min_dim_size_to_factor", r.least() - 1) + 1, keys.positive("clip_threshold", r.threshold()),
            r.momentum());
      }
      case "timm/adafactorbv" -> {
        var r = Adafactor.bigVision(keys.share("momentum", usual.momentum));
        yield new Adafactor(keys.positive("decay_rate", r.fall()), keys.share("beta2_cap", r.most()),
            keys.whole("min_dim_size_to_factor", r.least()), r.threshold(), r.momentum());
      }
      case "timm/muon", "timm/nmuon" -> muon();
      default -> throw new IllegalArgumentException("--opt " + name + ", expected adamw, nadamw, sgd, stableadamw, or "
          + "one of timm/adamw, nadamw, lamb, lion, adafactor, adafactorbv, muon, nmuon");
    };
  }

  private <R extends Optimizer.Rule> R adam(Adam<R> rule) {
    double[] b = keys.betas(usual.beta1, usual.beta2);
    return rule.of(b[0], b[1], keys.positive("eps", usual.epsilon));
  }

  private Lamb lamb() {
    double limit = keys.positiveOrNone("max_grad_norm", 1);
    double most = keys.truth("trust_clip", false) ? 1 : Double.POSITIVE_INFINITY;
    boolean all = keys.truth("always_adapt", false);
    return adam((b1, b2, e) -> new Lamb(b1, b2, e, limit, most, all));
  }

  private Muon muon() {
    boolean nesterov = keys.truth("nesterov", name.equals("timm/nmuon"));
    Optimizer.Fused others = nesterov ? adam(Lookahead::new) : adam(Optimizer.AdamW::new);
    double slower = keys.positive("fallback_lr_scale", 1);
    return new Muon(keys.share("momentum", usual.momentum), nesterov,
        slower == 1 ? others : new Slowed(others, slower), excluded.get());
  }
}
