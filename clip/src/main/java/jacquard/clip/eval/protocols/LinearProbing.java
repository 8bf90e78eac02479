package jacquard.clip.eval.protocols;

import jacquard.clip.eval.Advance;
import jacquard.clip.eval.features.Subject;
import jacquard.clip.eval.metrics.Accuracy;
import jacquard.clip.eval.metrics.Bootstrap;
import jacquard.clip.eval.metrics.Predictions;
import jacquard.clip.eval.probe.ElevaterProbe;
import jacquard.clip.eval.probe.Features;
import jacquard.clip.eval.probe.LinearProbe;
import jacquard.clip.eval.probe.LogisticRegression;
import jacquard.clip.eval.probe.Neighbours;
import jacquard.clip.eval.probe.Span;
import jacquard.clip.eval.sets.TestSet;
import jacquard.clip.eval.sets.Truth;
import java.io.IOException;
import java.util.Arrays;
import java.util.stream.IntStream;

/// What the features of a set's training pictures tell of its test pictures.
///
/// @param kind   how a classifier is made of them
/// @param shots  pictures of each class that are trained on; −1 for all
/// @param rate   of [Kind#LINEAR], with `batch` samples a step and so many `epochs`
public record LinearProbing(Kind kind, int shots, double rate, int batch, int epochs, long seed) implements Protocol {
  /// How a classifier is made.
  public enum Kind {
    /// CLIP_benchmark's: AdamW, the decay chosen on the validation split where there is one.
    LINEAR("linear_probe"),
    /// OpenAI's: logistic regression by L-BFGS, C = 0.316, or λ chosen on the validation split.
    LOGISTIC("logistic_probe"),
    /// ELEVATER's: begins with the vectors of the classes' names, rate and decay chosen.
    ELEVATER("elevater_probe"),
    /// The 20 nearest vote.
    NEIGHBOURS("knn");

    private final String task;

    Kind(String task) { this.task = task; }
  }

  public LinearProbing {
    if (shots == 0 || shots < -1) throw new IllegalArgumentException(shots
        + " shots, expected 1 or more, or -1 for all");
    if (!(rate > 0) || batch < 1 || epochs < 1)
      throw new IllegalArgumentException("a probe with rate %s, batches of %d and %d epochs, expected all above 0"
          .formatted(rate, batch, epochs));
  }

  @Override public String task() { return kind.task + (shots < 0 ? "" : "_" + shots + "-shot"); }

  @Override public Measured of(Subject subject, Parts parts, Advance advance) throws IOException {
    var train = part(subject, parts, "train", advance);
    if (train == null)
      throw new IOException(parts.test().folder() + " has no train split, expected one for " + task());
    var validation = part(subject, parts, "val", advance);
    var probe = new LinearProbe(rate, batch, epochs, seed, subject.device());
    int classes = train.classes();
    var taken = train.shots(shots, new LinearProbe(rate, batch, 1, seed, subject.device()).order(train.size()));
    var seen = Seen.of(subject, parts.test(), advance);
    var test = new Features(seen.features(), seen.of(labels(parts.test())));
    var r = Measured.empty(test.size(), seen.missing());
    float[][] scores = switch (kind) {
      case LINEAR -> {
        double decay = validation == null ? 0 : probe.decay(taken, validation, classes).best();
        var all = validation == null || shots > 0 ? taken : taken.and(validation);
        r.metrics().put("weight_decay", decay);
        r.metrics().put("epochs", (double) epochs);
        yield probe.train(all, classes, decay).logits(test.rows(), subject.device());
      }
      case LOGISTIC -> logistic(taken, validation, classes, test, r);
      case ELEVATER -> elevater(subject, parts.test(), taken, validation, classes, advance, r)
          .logits(test.rows(), subject.device());
      case NEIGHBOURS -> Neighbours.USUAL.votes(taken, test.rows(), classes, subject.device());
    };
    var p = Predictions.of(scores);
    boolean[] right = p.hits(test.labels(), 1);
    var prefix = kind == Kind.NEIGHBOURS ? "knn_" : "lp_";
    r.metrics().putFirst(prefix + "mean_per_class_recall", Accuracy.meanPerClass(p.first(), test.labels()));
    r.metrics().putFirst(prefix + "acc5", test.classes() <= 5 ? Double.NaN : Accuracy.of(p.hits(test.labels(), 5)));
    r.metrics().putFirst(prefix + "acc1", Accuracy.of(right));
    r.metrics().put("seed", (double) seed);
    r.metrics().put("fewshot_k", (double) shots);
    r.intervals().put(prefix + "acc1", Bootstrap.of(right));
    return r;
  }

  /// Without a validation split every fifth of the training samples, in the order drawn, is one.
  private ElevaterProbe.Trained elevater(Subject subject, TestSet set, Features taken, Features validation, int classes,
      Advance advance, Measured to) throws IOException {
    LinearProbe.Head start = null;
    if (set.prompts() != null) {
      float[][] vectors = ZeroShot.classifier(subject, set.prompts(), advance);
      start = new LinearProbe.Head(new float[vectors.length * vectors[0].length], new float[vectors.length]);
      for (int c = 0; c < vectors.length; c++)
        System.arraycopy(vectors[c], 0, start.weight(), c * vectors[0].length, vectors[0].length);
    }
    int n = taken.size();
    var held = validation != null ? validation : taken.at(IntStream.range(0, n).filter(i -> i % 5 == 4).toArray());
    var rest = validation != null ? taken : taken.at(IntStream.range(0, n).filter(i -> i % 5 != 4).toArray());
    if (held.size() == 0) throw new IOException(set.folder() + ": " + n + " training pictures are too few to "
        + "choose by");
    var found = ElevaterProbe.usual(seed, subject.device()).fit(rest, held, Math.max(classes, start == null ? 0
        : start.bias().length), start);
    to.metrics().put("learning_rate", found.rate());
    to.metrics().put("weight_decay", found.decay());
    return found.trained();
  }

  private float[][] logistic(Features train, Features validation, int classes, Features test, Measured to) {
    double[][] x = wide(train.rows());
    double c = LogisticRegression.OPENAI.c();
    if (validation != null) {
      double[][] v = wide(validation.rows());
      c = 1 / Span.INVERSE.search(l -> Accuracy.of(Accuracy.right(with(1 / l).fit(x, train.labels(), classes)
          .predict(v),
          validation.labels()))).best();
    }
    to.metrics().put("C", c);
    var all = validation == null || shots > 0 ? train : train.and(validation);
    return with(c).fit(wide(all.rows()), all.labels(), classes).scores(wide(test.rows()));
  }

  private static LogisticRegression with(double c) {
    return new LogisticRegression(c, LogisticRegression.OPENAI.iterations(), LogisticRegression.OPENAI.tolerance());
  }

  private static double[][] wide(float[][] rows) {
    return Arrays.stream(rows).map(r -> IntStream.range(0, r.length).mapToDouble(k -> r[k]).toArray())
        .toArray(double[][]::new);
  }

  private static Features part(Subject subject, Parts parts, String split, Advance advance) throws IOException {
    var set = parts.part(split);
    if (set == null) return null;
    var seen = Seen.of(subject, set, advance);
    return new Features(seen.features(), seen.of(labels(set)));
  }

  private static int[] labels(TestSet set) throws IOException {
    if (set.truth() instanceof Truth.Labels l) return l.of();
    throw new IOException(set.folder() + " has no label a picture, expected one for a probe");
  }
}
