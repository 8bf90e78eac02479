package jacquard.tests.autograd;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jacquard.autograd.Grad;
import jacquard.autograd.Parameters;
import jacquard.tensor.Device;
import jacquard.tensor.Interpreter;
import jacquard.tensor.Pass;
import jacquard.tensor.Random;
import jacquard.tensor.Scope;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import jacquard.tensor.Type;
import jacquard.tensor.op.Activation;
import jacquard.tensor.op.Op;
import jacquard.tensor.op.Update;
import jacquard.tests.Draw;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// What a tape keeps and for how long, what it refuses, and that nothing is left after it, whichever way it ends.
class TapeTest {
  public record Model(Tensor w, Tensor v) {}

  /// The identity, which calls `probe` when it runs: in forward, and in backward when its definition is run again.
  record Probe(Runnable probe) implements Op.Custom {
    @Override public List<Type> infer(List<Type> in) { return in; }
    @Override public List<Tensor> define(List<Tensor> in) {
      probe.run();
      return List.of(in.getFirst().mul(1));
    }
  }

  private final Device device = Device.best();
  private long before;
  private Scope scope;
  private Tensor x;
  private Model model;
  private Parameters parameters;

  @BeforeEach void open() {
    before = device.live().blocks();
    scope = Scope.open(device);
    x = Draw.uniform(1, Shape.of(13, 5), -1, 1);
    model = new Model(Draw.uniform(2, Shape.of(5, 5), -1, 1), Draw.uniform(3, Shape.of(5), -1, 1));
    parameters = Parameters.of(model);
  }

  @AfterEach void close() {
    scope.close();
    assertEquals(before, device.live().blocks(), "blocks left over");
  }

  private Tensor layers(int n, UnaryOperator<Tensor> wrap) {
    var h = x;
    for (int i = 0; i < n; i++) {
      var in = h;
      h = Scope.result(() -> wrap.apply(in.matmul(model.w).add(model.v).tanh()));
    }
    return h.mul(h).sum();
  }

  /// A sum saves nothing, a product its factors: after a block only what backward reads, and the result, are left of
  /// it.
  @Test void aBlockLeavesWhatBackwardReads() {
    Grad.valueAndGrad(parameters, () -> {
      long start = device.live().blocks();
      var sum = Scope.result(() -> model.v.add(model.v).add(model.v).add(model.v));
      assertEquals(start + 1, device.live().blocks(), "only the sum");
      var product = Scope.result(() -> { var a = sum.mul(model.v); return a.mul(a).add(a); });
      assertEquals(start + 3, device.live().blocks(), "the result, and the factor that backward reads");
      return product.sum();
    });
  }

  /// Of a product with a frozen weight the other factor, which only the weight's gradient would read, is not kept; nor
  /// does the gradient change.
  @Test void whatOnlyAFrozenWeightWouldReadIsNotKept() {
    var bias = Draw.uniform(4, Shape.of(5), -1, 1);
    long[] kept = new long[2];
    float[][] gradients = new float[2][];
    for (int frozen = 0; frozen < 2; frozen++) {
      int which = frozen;
      var some = frozen == 0 ? parameters : parameters.freeze("w");
      gradients[frozen] = Grad.valueAndGrad(some, () -> {
        long start = device.live().blocks();
        var y = Scope.result(() -> x.add(model.v).add(1).linear(model.w, bias, Activation.NONE).add(1).matmul(model.w));
        kept[which] = device.live().blocks() - start;
        return y.mul(y).sum();
      }).gradients().get("v").floats();
    }
    assertEquals(3, kept[0], "the result, and what both products read");
    assertEquals(1, kept[1], "the result");
    assertArrayEquals(gradients[0], gradients[1]);
  }

  /// What a frozen norm gives is made again for a product that is trained, as what a trained one gives is, from its
  /// input, two numbers a row and its own small factors; nor does the gradient change.
  @Test void whatAFrozenNormGivesIsNotKept() {
    Tensor factor = Draw.uniform(4, Shape.of(5), -1, 1), shift = Draw.uniform(5, Shape.of(5), -1, 1);
    long[] kept = new long[2];
    float[][] gradients = new float[2][];
    record Normed(Tensor w, Tensor factor, Tensor shift) {}
    var all = Parameters.of(new Normed(model.w, factor, shift));
    for (int frozen = 0; frozen < 2; frozen++) {
      int which = frozen;
      gradients[frozen] = Grad.valueAndGrad(frozen == 0 ? all : all.freeze("factor", "shift"), () -> {
        long start = device.live().blocks();
        var y = Scope.result(() -> x.matmul(model.w).layerNorm(factor, shift, 1e-5f).matmul(model.w));
        kept[which] = device.live().blocks() - start;
        return y.mul(y).sum();
      }).gradients().get("w").floats();
    }
    assertEquals(4, kept[0], "the result, what the norm reads, and mean and 1/σ of each row");
    assertEquals(kept[0], kept[1], "kept of a frozen norm");
    assertArrayEquals(gradients[0], gradients[1]);
  }

  /// Each step of backward frees what it has read.
  @Test void backwardFreesAsItGoes() {
    var seen = new ArrayList<Long>();
    Grad.valueAndGrad(parameters, () ->
        Scope.result(() -> layers(8, h -> Tensor.apply(new Probe(() -> seen.add(device.live().blocks())), h))));
    assertEquals(16, seen.size());
    for (int i = 1; i < 8; i++) assertTrue(seen.get(i) > seen.get(i - 1), "forward keeps what it saves: " + seen);
    // its first step makes the gradients' sums
    for (int i = 10; i < 16; i++) assertTrue(seen.get(i) < seen.get(i - 1), "backward frees: " + seen);
    assertTrue(seen.get(15) <= seen.get(2), "at the end little is left: " + seen);
  }

  /// Of a gradient step there remain the value and the gradients.
  @Test void onlyTheGradientsRemain() {
    try (var _ = Scope.open()) {
      long start = device.live().blocks();
      var step = Grad.valueAndGrad(parameters, () -> Scope.result(() -> layers(5, h -> h)));
      assertEquals(start + 2 + step.gradients().size(), device.live().blocks(),
          "value and gradients, and the 1 that backward began with");
    }
  }

  /// Recomputation saves a layer's inputs instead of all that it computes.
  @Test void aCheckpointKeepsLess() {
    var peak = new AtomicReference<>(0L);
    Runnable look = () -> peak.set(Math.max(peak.get(), device.live().blocks()));
    Grad.valueAndGrad(parameters, () -> {
      var y = Scope.result(() -> layers(8, h -> h.tanh().tanh().tanh().tanh()));
      look.run();
      return y;
    });
    long plain = peak.getAndSet(0L);
    Grad.valueAndGrad(parameters, () -> {
      var y = Scope.result(() -> {
        var h = x;
        for (int i = 0; i < 8; i++)
          h = Grad.checkpoint(List.of(h), t ->
              List.of(t.getFirst().matmul(model.w).add(model.v).tanh().tanh().tanh().tanh().tanh())).getFirst();
        return h.mul(h).sum();
      });
      look.run();
      return y;
    });
    assertTrue(peak.get() < plain / 2, peak.get() + " blocks with checkpoints, " + plain + " without");
  }

  /// Nested or not, with parameters closed over, several outputs, and randomness by key.
  @Test void checkpointsGiveTheSameBits() {
    UnaryOperator<Tensor> layer = h -> {
      float keep = Pass.current().key().fold("drop").uniform(3) < 0.5 ? 0.7f : 1.3f;
      return h.linear(model.w, model.v, Activation.GELU).mul(keep).softmax();
    };
    var results = new ArrayList<List<float[]>>();
    for (int kind = 0; kind < 3; kind++) {
      int nesting = kind;
      var step = Pass.training(Random.of(9)).call(() -> Grad.valueAndGrad(parameters, () -> {
        var h = x.mul(model.v);
        for (int i = 0; i < 3; i++) h = nested(nesting, h, layer);
        return h.mul(h).sum();
      }));
      results.add(List.of(step.value().floats(), step.gradients().get("w").floats(),
          step.gradients().get("v").floats()));
    }
    for (var r : results) for (int i = 0; i < 3; i++) assertArrayEquals(results.getFirst().get(i), r.get(i));
  }

  private static Tensor nested(int depth, Tensor h, UnaryOperator<Tensor> f) {
    return depth == 0 ? f.apply(h)
        : Grad.checkpoint(List.of(h), t -> List.of(nested(depth - 1, t.getFirst(), f))).getFirst();
  }

  /// d(x·x + x)/dx = 2x + 1, whether x is one input or two.
  @Test void aTensorUsedTwiceGetsBothGradients() {
    var once = Grad.vjp(List.of(x), in -> List.of(in.getFirst().mul(in.getFirst()).add(in.getFirst())), y ->
        List.of(Tensor.full(y.getFirst().shape(), 1)));
    assertArrayEquals(x.affine(2, 1).floats(), once.gradients().getFirst().floats(), 1e-6f);
    var twice = Grad.vjp(List.of(x, x), in -> List.of(in.get(0).mul(3).add(in.get(1).mul(5))), y ->
        List.of(Tensor.full(y.getFirst().shape(), 1)));
    assertEquals(3, twice.gradients().get(0).floats()[7]);
    assertEquals(5, twice.gradients().get(1).floats()[7]);
    var inside = Grad.vjp(List.of(x), in ->
        Grad.checkpoint(List.of(in.getFirst(), in.getFirst()), t -> List.of(t.get(0).mul(3).add(t.get(1).mul(5)))),
        y -> List.of(Tensor.full(y.getFirst().shape(), 1)));
    assertEquals(8, inside.gradients().getFirst().floats()[7]);
  }

  /// Updates wait until backward is done, run once, and a recomputation does not repeat them.
  @Test void updatesAreQueued() {
    var running = Tensor.zeros(Shape.of(5));
    Grad.valueAndGrad(parameters, () -> {
      var h = Grad.checkpoint(List.of(x), t -> {
        Tensor.applyAll(new Update.Blend(0.5f, 1), List.of(running, Tensor.full(Shape.of(5), 4)));
        return List.of(t.getFirst().matmul(model.w));
      }).getFirst();
      assertEquals(0, running.floats()[0], "not yet");
      return h.sum();
    });
    assertEquals(2, running.floats()[0], "once");
  }

  /// Backward runs a block again in the circumstances of its forward, whatever those around it are: a part in
  /// evaluation stays in evaluation, a training step's numbers stay.
  @Test void aBlockIsRunAgainInItsForwardsPass() {
    var seen = new ArrayList<Pass>();
    var inner = Pass.training(Random.of(4)).inference();
    var step = Pass.training(Random.of(9))
        .call(() -> Grad.valueAndGrad(parameters, () -> inner.call(() -> Grad.checkpoint(List.of(x), t -> {
      seen.add(Pass.current());
      return List.of(t.getFirst().matmul(model.w).mul(Pass.current().training() ? 3 : 2));
    })).getFirst().sum()));
    assertEquals(List.of(inner, inner), seen);
    var plain = Grad.valueAndGrad(parameters, () -> x.matmul(model.w).mul(2).sum());
    assertArrayEquals(plain.gradients().get("w").floats(), step.gradients().get("w").floats());
  }

  @Test void aSavedTensorThatChangedIsAnError() {
    var e = assertThrows(IllegalStateException.class, () -> Grad.valueAndGrad(parameters, () -> {
      var h = x.add(model.v).matmul(model.w).tanh();
      Interpreter.PLAIN.apply(new Update.Blend(1, 1), List.of(model.w, Tensor.zeros(Shape.of(5, 5))));
      return h.mul(h).sum();
    }));
    assertTrue(e.getMessage().contains("changed in place") && e.getMessage().contains("[5, 5]"), e.getMessage());
  }

  @Test void anotherThreadIsRefused() throws InterruptedException {
    var failure = new AtomicReference<Throwable>();
    Grad.valueAndGrad(parameters, () -> {
      var recording = Interpreter.current();
      var t = new Thread(() -> {
        try (var _ = Scope.open(device)) { ScopedValue.where(Interpreter.CURRENT, recording).run(() -> model.v.mul(2));
            } catch (IllegalStateException e) {
          failure.set(e);
        }
      });
      t.start();
      try { t.join(); } catch (InterruptedException e) { throw new IllegalStateException(e); }
      return model.v.sum();
    });
    assertTrue(failure.get() != null && failure.get().getMessage().contains("belongs to the thread"),
        String.valueOf(failure.get()));
  }

  /// An error in forward or in the middle of backward leaves no block behind.
  @Test void errorsLeaveNothing() {
    var calls = new AtomicInteger();
    for (int at : new int[] {2, 5}) {
      calls.set(0);
      assertThrows(ArithmeticException.class, () -> Grad.valueAndGrad(parameters, () -> {
        try (var _ = Scope.open()) {
          return Scope.current().keep(layers(3, h -> Tensor.apply(new Probe(() -> {
            if (calls.incrementAndGet() == at) throw new ArithmeticException();
          }), h)));
        }
      }));
    }
  }

  @Test void aValueIsAScalar() {
    var e = assertThrows(IllegalArgumentException.class, () -> Grad.valueAndGrad(parameters, () -> model.v.mul(2)));
    assertTrue(e.getMessage().contains("scalar") && e.getMessage().contains("[5]"), e.getMessage());
    assertFalse(Interpreter.current() != Interpreter.PLAIN, "nothing stays bound");
  }
}
