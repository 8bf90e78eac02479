package jacquard.clip.image.augment.policy;

import jacquard.clip.image.Pixels;
import jacquard.clip.image.augment.Canvas;
import jacquard.clip.image.augment.Colour;
import jacquard.clip.image.augment.Draws;
import java.util.List;
import java.util.random.RandomGenerator;

/// Hendrycks et al. 2020 in timm's form: a mean of several chains of operations, and of that and the image itself.
///
/// @param alpha   of the weights of the chains (Dirichlet) and of the share of their mean (Beta)
/// @param depth   operations a chain; 0 where it is drawn from 1 to 3
/// @param blended whether each chain is blended into the image in its turn, rather than into a mean
public record AugMix(List<Policies.Step> operations, double alpha, int width, int depth, boolean blended,
    Timm.Strength strength, Canvas canvas) implements Policy {
  private static final int DEEPEST = 3;

  static AugMix of(Words words, Canvas canvas) {
    double level = words.whole("m", 3, 0, 10), deviation = words.number("mstd", Double.POSITIVE_INFINITY);
    double alpha = words.number("a", 1, 1e-3, 1e3);
    int width = words.whole("w", 3, 1, 20), depth = words.whole("d", 0, 0, 20);
    boolean blended = words.whole("b", 0, 0, 1) == 1;
    var operations = Policies.choices("timm.augmix").keySet().stream().map(o -> new Policies.Step(o, 1, level));
    return new AugMix(operations.toList(), alpha, width, depth, blended, Timm.Strength.mixed(deviation), canvas);
  }

  @Override public Pixels apply(Pixels image, RandomGenerator random) {
    float[] weights = new float[width];
    double sum = 0;
    double[] drawn = new double[width];
    for (int i = 0; i < width; i++) sum += drawn[i] = Draws.gamma(alpha, random);
    for (int i = 0; i < width; i++) weights[i] = (float) (drawn[i] / sum);
    double a = Draws.gamma(alpha, random), b = Draws.gamma(alpha, random);
    float share = (float) (a / (a + b));
    return blended ? blended(image, weights, share, random) : mixed(image, chains(image, random), weights, share);
  }

  private List<Pixels> chains(Pixels image, RandomGenerator random) {
    return java.util.stream.IntStream.range(0, width).mapToObj(_ -> chain(image, random)).toList();
  }

  private Pixels chain(Pixels image, RandomGenerator random) {
    int n = depth > 0 ? depth : 1 + random.nextInt(DEEPEST);
    for (int i = 0; i < n; i++)
      image = Timm.step(operations.get(random.nextInt(operations.size())), image, strength, canvas, random);
    return image;
  }

  /// image + share·(Σ weight·chain − image), the sum in single precision and truncated to 8 bits.
  public static Pixels mixed(Pixels image, List<Pixels> chains, float[] weights, float share) {
    float[] sum = new float[image.rgb().length];
    for (int k = 0; k < weights.length; k++) {
      byte[] chain = chains.get(k).rgb();
      for (int i = 0; i < sum.length; i++) sum[i] += weights[k] * (chain[i] & 255);
    }
    byte[] mean = new byte[sum.length];
    for (int i = 0; i < sum.length; i++) mean[i] = (byte) (int) Math.clamp(sum[i], 0f, 255f);
    return Colour.blend(image, new Pixels(image.width(), image.height(), mean), share);
  }

  /// Each chain, of the image as it was, into what came before: weights such that in the end each has its own.
  private Pixels blended(Pixels image, float[] weights, float share, RandomGenerator random) {
    float[] each = new float[width];
    float left = 1;
    for (int k = width - 1; k >= 0; k--) {
      each[k] = weights[k] * share / left;
      left *= 1 - each[k];
    }
    var r = image;
    for (int k = 0; k < width; k++) r = Colour.blend(r, chain(image, random), each[k]);
    return r;
  }
}
