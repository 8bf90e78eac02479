package jacquard.kernels.cpu;

import jacquard.tensor.Tensor;
import jacquard.tensor.op.Update;
import java.util.List;

/// One fused pass over parameter, momenta and gradient: see [Update.NAdamW] and [Update.Descent] for the formulas.
final class CpuMomentum {
  private CpuMomentum() {}

  static void run(Update.NAdamW op, List<Tensor> in) {
    Dense p = Dense.written(in.get(0)), m = Dense.written(in.get(1)), v = Dense.written(in.get(2)), g = Dense.of(in.get(3));
    float b2 = (float) op.beta2(), c1 = (float) (1 - op.beta1()), c2 = (float) (1 - op.beta2());
    float keep = (float) (1 - op.rate() * op.decay()), factor = op.factor(), a = (float) (op.rate() * op.ofGradient()), b = (float) (op.rate() * op.ofMoment());
    float root = (float) (1 / StrictMath.sqrt(1 - StrictMath.pow(op.beta2(), op.step()))), epsilon = (float) op.epsilon();
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

  static void run(Update.Descent op, List<Tensor> in) {
    Dense p = Dense.written(in.get(0)), m = Dense.written(in.get(1)), g = Dense.of(in.get(2));
    float rate = (float) op.rate(), momentum = (float) op.momentum(), decay = (float) op.decay(), factor = op.factor();
    float ahead = op.nesterov() ? 1 : 0, along = op.nesterov() ? momentum : 1;     // the step: ahead·g + along·m
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
}
