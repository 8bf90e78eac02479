package jacquard.clip.model.timm.swin;

import jacquard.autograd.Named;
import jacquard.clip.model.timm.VitBlock;
import jacquard.clip.nn.Init;
import jacquard.clip.nn.Linear;
import jacquard.tensor.Sequences;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Attention;
import jacquard.tensor.op.Ranges;
import java.util.ArrayList;

/// Attention within windows, to each score a bias of the relative position: table `[offsets, heads]`.
record WindowAttention(@Named("relative_position_bias_table") Tensor table, Linear qkv, Linear proj, int heads) {
  static WindowAttention of(Init.Maker make, int width, int heads, Windows windows) {
    return new WindowAttention(make.make(new Init.Normal(0.02), windows.offsets(), heads),
        VitBlock.linear(make, width, 3 * width, true),
        VitBlock.linear(make, width, width, true), heads);
  }

  /// Of the rows of `maps` feature maps, plus `added`.
  Tensor apply(Tensor x, Windows windows, int maps, Tensor added) {
    int width = x.dim(1), cells = windows.size().size();
    int[] sources = windows.sources(maps);
    var parts = qkv.apply(x.gather(sources)).split(1, width, width, width);
    var bias = table.gather(windows.relative()).permute(1, 0).reshape(heads, cells, cells);
    float scale = (float) (1 / Math.sqrt(width / heads));
    var results = new ArrayList<Tensor>();
    for (int kind = 0, from = 0; kind < Windows.KINDS; kind++) {
      int count = windows.count(kind) * maps, to = from + count * cells;
      if (count == 0) continue;
      var sequences = Sequences.equal(count, cells);
      var op = new Attention(heads, scale, sequences, sequences, Ranges.full(sequences, sequences)).withBias();
      var own = kind == 0 ? bias.dense() : bias.add(Tensor.of(Shape.of(cells, cells), windows.mask(kind)));
      results.add(Tensor.apply(op, parts.get(0).slice(0, from, to), parts.get(1).slice(0, from, to),
          parts.get(2).slice(0, from, to), own));
      from = to;
    }
    return proj.apply(Tensor.concat(0, results).gather(Windows.back(sources, x.dim(0))), added);
  }
}
