package jacquard.tests.tune;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jacquard.autograd.Grad;
import jacquard.autograd.Parameters;
import jacquard.clip.model.ClipConfig;
import jacquard.clip.model.ClipModel;
import jacquard.clip.model.tower.TextTower;
import jacquard.clip.nn.Init;
import jacquard.clip.nn.transformer.DeepPrompts;
import jacquard.clip.tune.prompt.Conditional;
import jacquard.tensor.Interpreter;
import jacquard.tensor.Pass;
import jacquard.tensor.Precision;
import jacquard.tensor.Random;
import jacquard.tensor.Scope;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Attention;
import jacquard.tests.Conformance;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// What captions begin with alike is computed once in a causal text tower, to what comes of each caption by itself.
class SharedStartTest {
  private static final String CONFIG = """
      {"embed_dim": 8, "vision_cfg": {"image_size": 16, "layers": 1, "width": 16, "head_width": 8, "patch_size": 8},
       "text_cfg": {"context_length": 12, "vocab_size": 40, "width": 16, "heads": 2, "layers": 3%s}}""";
  private static final int VECTORS = 4, WIDTH = 16;
  /// Start 38, end 39. Names of one to four tokens; the third and the fifth are one, the sixth begins as the second.
  private static final int[][] NAMES = {{4, 5}, {7, 8}, {9, 4, 3, 2}, {11}, {9, 4, 3, 2}, {7, 8, 6}};
  /// Before, between and behind the vectors −1 … −4: where all names stand.
  private static final int END = VECTORS, MIDDLE = VECTORS / 2, FRONT = 0;
  private static final double NEAR = 1e-5;

  private record Trained(Tensor vectors, List<Tensor> deep) {}

  private Scope scope;
  private TextTower base;
  private Trained trained;

  @BeforeEach void open() {
    scope = Scope.open(Conformance.device());
    base = tower("");
    var make = Init.Maker.drawn(Random.of(3));
    trained = new Trained(make.make(new Init.Normal(0.5), VECTORS, WIDTH),
        List.of(make.make(new Init.Normal(0.5), VECTORS, WIDTH)));
  }

  @AfterEach void close() { scope.close(); }

  private static TextTower tower(String more) {
    return ClipModel.create(ClipConfig.parse(CONFIG.formatted(more)), 5).text();
  }

  private static int[][] captions(int before) {
    return Arrays.stream(NAMES).map(name -> {
      int[] r = new int[12];
      int at = 0;
      r[at++] = 38;
      for (int v = 0; v < before; v++) r[at++] = -1 - v;
      for (int n : name) r[at++] = n;
      for (int v = before; v < VECTORS; v++) r[at++] = -1 - v;
      r[at] = 39;
      return r;
    }).toArray(int[][]::new);
  }

  private TextTower prompted(boolean deep) {
    return base.prompted(trained.vectors, deep ? new DeepPrompts(trained.deep, 1) : null);
  }

  /// Each caption by itself has nothing in common with others.
  private static Tensor apart(TextTower tower, int[][] captions) {
    return Tensor.concat(0, Stream.of(captions).map(c -> tower.features(new int[][] {c})).toList());
  }

  /// Some number that depends on all features, unlike for each.
  private static Tensor loss(Tensor features) {
    return features.mul(Init.Maker.drawn(Random.of(8)).make(new Init.Normal(1), features.dim(0), features.dim(1)))
        .sum();
  }

  private static void near(float[] expected, float[] found, double error, String what) {
    double largest = 0;
    for (float e : expected) largest = Math.max(largest, Math.abs(e));
    assertTrue(largest > 0, what + ": all is zero");
    assertArrayEquals(expected, found, (float) (error * largest), what);
  }

  /// How many rows a block computes.
  private static int rows(Supplier<Tensor> f) {
    var seen = new ArrayList<Integer>();
    Interpreter watching = (op, in) -> {
      if (op instanceof Attention a) seen.add(a.queries().rows());
      return Interpreter.PLAIN.apply(op, in);
    };
    ScopedValue.where(Interpreter.CURRENT, watching).run(f::get);
    return seen.getFirst();
  }

  private void same(Pass pass, boolean deep, int place, double error, String what) {
    var parameters = Parameters.of(deep ? trained : new Trained(trained.vectors, List.of()));
    var all = captions(place);
    var expected = pass.call(() -> Grad.valueAndGrad(parameters, () -> loss(apart(prompted(deep), all))));
    var found = pass.call(() -> Grad.valueAndGrad(parameters, () -> loss(prompted(deep).features(all))));
    for (var path : expected.gradients().keySet())
      near(expected.gradients().get(path).floats(), found.gradients().get(path).floats(), error, what + " " + path);
    near(pass.call(() -> apart(prompted(deep), all)).floats(), pass.call(() -> prompted(deep).features(all)).floats(),
        error, what);
  }

  @Test void featuresAndGradientsAreThoseOfEachCaptionAlone() {
    var pass = Pass.training(Random.of(0));
    for (int place : new int[] {END, MIDDLE, FRONT}) same(pass, false, place, NEAR, "vectors before " + place);
    same(pass, true, END, NEAR, "rows before blocks");
    same(pass.recompute(true), true, END, NEAR, "blocks run again");
    same(pass.precision(Precision.BF16), true, END, 3e-2, "BF16");
  }

  @Test void whatIsAlikeIsComputedOnce() {
    var pass = Pass.training(Random.of(0));
    // start and vectors; tokens and end of a name, of which two are one and one begins as another
    assertEquals(1 + VECTORS + 3 + 3 + 5 + 2 + 2, pass.call(() -> rows(() -> prompted(true).features(captions(END)))));
    // the captions are long: the start alone is not worth while
    int[][] own = captions(END);
    for (int i = 0; i < own.length; i++) for (int p = 1; p <= VECTORS; p++) own[i][p] -= i * VECTORS;
    int all = Arrays.stream(NAMES).mapToInt(n -> n.length + VECTORS + 2).sum();
    var each = Init.Maker.drawn(Random.of(4)).make(new Init.Normal(0.5), NAMES.length * VECTORS, WIDTH);
    assertEquals(all, pass.call(() -> rows(() -> base.prompted(each, null).features(own))));
  }

  @Test void namesUnderOneTemplateToo() {
    int[][] all = {{38, 4, 5, 6, 7, 39, 0}, {38, 4, 5, 6, 8, 9, 39}, {38, 4, 5, 39, 0, 0, 0}};
    assertEquals(4 + 2 + 3 + 1, rows(() -> base.features(all)));
    near(apart(base, all).floats(), base.features(all).floats(), NEAR, "plain captions");
    // a tower in training may draw for each caption anew, and one that is not causal looks ahead
    assertEquals(6 + 7 + 4, Pass.training(Random.of(0)).call(() -> rows(() -> base.features(all))));
    var both = tower(", \"no_causal_mask\": true");
    assertEquals(3 * 7, rows(() -> both.features(all)));
  }

  @Test void captionsOfEachPictureShareItsVectors() {
    var make = Init.Maker.drawn(Random.of(6));
    var prompt = new Conditional(trained.vectors, Conditional.Net.of(make, 8, WIDTH));
    var pictures = make.make(new Init.Normal(1), 2, 8).normalize();
    assertEquals(2 * (VECTORS + 3 + 3 + 5 + 2 + 2) + 1, rows(() -> prompt.cosines(base, pictures, captions(END))));
    var apart = Tensor.concat(1, Stream.of(captions(END)).map(c -> prompt.cosines(base, pictures, new int[][] {c}))
        .toList());
    near(apart.floats(), prompt.cosines(base, pictures, captions(END)).floats(), NEAR, "cosines");
  }

  @Test void noRoomForRowsIsTold() {
    int[][] all = {{38, -1, -2, 5, 39, 0}, {38, -1, -2, 39, 0, 0}};
    var e = assertThrows(IllegalArgumentException.class, () -> prompted(true).features(all));
    assertTrue(e.getMessage().contains("a sequence of 4 rows has no room for 4 prompts"), e.getMessage());
  }
}
