package jacquard.bench;

import jacquard.bench.harness.Agreement;
import jacquard.bench.harness.Ceiling;
import jacquard.bench.harness.Contest;
import jacquard.bench.harness.Draw;
import jacquard.bench.harness.Lane;
import jacquard.bench.harness.Score;
import jacquard.bench.harness.Work;
import jacquard.bench.peer.Torch;
import jacquard.tensor.Device;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Update;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.AdamW;
import org.bytedeco.pytorch.AdamWOptions;
import org.bytedeco.pytorch.TensorVector;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/// One AdamW step of 151 million parameters in 64 matrices, as many as ViT-B/32 has: per element parameter, gradient
/// and two moments are read, three are written, 28 bytes.
///
/// What you should see: a step bound by memory alone, at nine tenths of its bandwidth or more; libtorch's C++ optimiser
/// passes over the data several times.
@State(Scope.Benchmark)
public class B05_AdamW implements Work.Case {
  private static final int MATRICES = 64, SIZE = 3072 * 768;

  private Contest contest;

  @Override public Work work() {
    return new Work("AdamW 151M", Work.Unit.GBS, 28.0 * MATRICES * SIZE, Torch.NAME, 1.2, 0.9);
  }

  @Setup public void open() throws Exception {
    var weights = jacquard.tensor.Scope.detached(Device.best());
    var all = new ArrayList<List<Tensor>>();
    var parameters = new TensorVector();
    for (int i = 0; i < MATRICES; i++) {
      float[] p = Draw.floats(i, SIZE), g = Draw.floats(1000 + i, SIZE);
      all.add(weights.within(() -> List.of(Tensor.of(Shape.of(3072, 768), p), Tensor.zeros(Shape.of(3072, 768)),
          Tensor.zeros(Shape.of(3072, 768)), Tensor.of(Shape.of(3072, 768), g))));
      var t = Torch.of(p, 3072, 768).set_requires_grad(true);
      t.mutable_grad().put(Torch.of(g, 3072, 768));
      parameters.push_back(t);
    }
    var options = new AdamWOptions(1e-3);
    options.weight_decay().put(0.2);
    var adamw = new AdamW(parameters, options);
    int[] step = {0};
    Lane.Work ours = () -> {
      step[0]++;
      for (var in : all) Tensor.applyAll(new Update.AdamW(1e-3, 0.9, 0.999, 1e-8, 0.2, step[0], 1), in);
    };
    ours.run();
    adamw.step();
    // a decay and a step of 1e-3: some eight roundings
    Agreement.check("a step", all.getFirst().getFirst().floats(), Torch.floats(parameters.get(0)), 8 * 0x1p-24);
    contest = Contest.of(ours, () -> adamw.step()).under(Ceiling.inPlace());
  }

  @Benchmark public void race(Score score) throws Exception { contest.run(score, work()); }
}
