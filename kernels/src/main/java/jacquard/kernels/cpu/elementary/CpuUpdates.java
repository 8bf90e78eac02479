package jacquard.kernels.cpu.elementary;

import static jacquard.kernels.cpu.Simd.F;
import static jacquard.kernels.cpu.Simd.LANES;
import static jdk.incubator.vector.FloatVector.broadcast;
import static jdk.incubator.vector.FloatVector.fromArray;

import jacquard.kernels.cpu.Dense;
import jacquard.kernels.cpu.Parallel;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Update;
import java.util.List;

/// One fused pass over parameter, moments and gradient: see the records of [Update] for the formulas.
public final class CpuUpdates {
  private CpuUpdates() {}

  public static void run(Update op, List<Tensor> in) {
    switch (op) {
      case Update.AdamW a -> run(a, in);
      case Update.NAdamW a -> run(a, in);
      case Update.Descent d -> run(d, in);
      case Update.Blend b -> run(b, in);
      case Update.Together t -> t.each(in, CpuUpdates::run);
    }
  }

  private static void run(Update.AdamW op, List<Tensor> in) {
    Dense p = Dense.written(in.get(0));
    Dense m = Dense.written(in.get(1));
    Dense v = Dense.written(in.get(2));
    Dense g = Dense.of(in.get(3));
    float b2 = (float) op.beta2(), c1 = (float) (1 - op.beta1()), c2 = (float) (1 - op.beta2());
    float keep = (float) (1 - op.rate() * op.decay()), factor = op.factor();
    float rate = (float) (op.rate() / (1 - StrictMath.pow(op.beta1(), op.step())));
    float root = (float) (1 / StrictMath.sqrt(1 - StrictMath.pow(op.beta2(), op.step())));
    float epsilon = (float) op.epsilon();
    Parallel.rows(p.size(), 32768, (from, to) ->
        update(p.a(), p.at(), m.a(), m.at(), v.a(), v.at(), g.a(), g.at(), from, to, factor, c1, b2, c2, keep, rate,
        root, epsilon));
  }

  /// By vectors, each with the bits of the plain loop below, which is its rest.
  private static void update(float[] P, int pt, float[] M, int mt, float[] V, int vt, float[] G, int gt, int from,
      int to,
                             float factor, float c1, float b2, float c2, float keep, float rate, float root,
                                 float epsilon) {
    int i = from;
    for (; i <= to - LANES; i += LANES) {
      var d = fromArray(F, G, gt + i).mul(factor);
      var before = fromArray(F, M, mt + i);
      var first = d.sub(before).fma(broadcast(F, c1), before);
      var second = fromArray(F, V, vt + i).mul(b2).add(d.mul(c2).mul(d));
      first.intoArray(M, mt + i);
      second.intoArray(V, vt + i);
      fromArray(F, P, pt + i).mul(keep).sub(first.mul(rate).div(second.sqrt().mul(root).add(epsilon)))
          .intoArray(P, pt + i);
    }
    for (; i < to; i++) {
      float d = G[gt + i] * factor;
      float first = M[mt + i] = Math.fma(c1, d - M[mt + i], M[mt + i]);
      float second = V[vt + i] = V[vt + i] * b2 + c2 * d * d;
      P[pt + i] = P[pt + i] * keep - rate * first / ((float) Math.sqrt(second) * root + epsilon);
    }
  }

  private static void run(Update.NAdamW op, List<Tensor> in) {
    Dense p = Dense.written(in.get(0));
    Dense m = Dense.written(in.get(1));
    Dense v = Dense.written(in.get(2));
    Dense g = Dense.of(in.get(3));
    float b2 = (float) op.beta2(), c1 = (float) (1 - op.beta1()), c2 = (float) (1 - op.beta2());
    float keep = (float) (1 - op.rate() * op.decay());
    float factor = op.factor();
    float a = (float) (op.rate() * op.ofGradient());
    float b = (float) (op.rate() * op.ofMoment());
    float root = (float) (1 / StrictMath.sqrt(1 - StrictMath.pow(op.beta2(), op.step())));
    float epsilon = (float) op.epsilon();
    float[] P = p.a(), M = m.a(), V = v.a(), G = g.a();
    Parallel.rows(p.size(), 32768, (from, to) -> {
      int pt = p.at(), mt = m.at(), vt = v.at(), gt = g.at();
      for (int i = from; i < to; i++) {
        float d = G[gt + i] * factor;
        float first = M[mt + i] = Math.fma(c1, d - M[mt + i], M[mt + i]);
        float second = V[vt + i] = V[vt + i] * b2 + c2 * d * d;
        P[pt + i] = P[pt + i] * keep - Math.fma(a, d, b * first) / ((float) Math.sqrt(second) * root + epsilon);
      }
    });
  }

  private static void run(Update.Descent op, List<Tensor> in) {
    Dense p = Dense.written(in.get(0)), m = Dense.written(in.get(1)), g = Dense.of(in.get(2));
    float rate = (float) op.rate();
    float momentum = (float) op.momentum();
    float decay = (float) op.decay();
    float factor = op.factor();
    // the step: ahead·g + along·m
    float ahead = op.nesterov() ? 1 : 0;
    float along = op.nesterov() ? momentum : 1;
    float[] P = p.a(), M = m.a(), G = g.a();
    Parallel.rows(p.size(), 32768, (from, to) -> {
      int pt = p.at(), mt = m.at(), gt = g.at();
      for (int i = from; i < to; i++) {
        float d = G[gt + i] * factor + decay * P[pt + i];
        float moved = M[mt + i] = Math.fma(momentum, M[mt + i], d);
        P[pt + i] -= rate * Math.fma(along, moved, ahead * d);
      }
    });
  }

  private static void run(Update.Blend op, List<Tensor> in) {
    Dense t = Dense.written(in.get(0)), v = Dense.of(in.get(1));
    float keep = 1 - op.share(), scaled = op.share() * op.scale();
    float[] T = t.a(), V = v.a();
    Parallel.rows(t.size(), 32768, (from, to) -> {
      int tt = t.at(), vt = v.at();
      for (int i = from; i < to; i++) T[tt + i] = keep * T[tt + i] + scaled * V[vt + i];
    });
  }
}
