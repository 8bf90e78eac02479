package jacquard.tests.roofline;

import static jacquard.tensor.DType.BF16;
import static jacquard.tensor.DType.F32;
import static jacquard.tensor.DType.I32;
import static jacquard.tensor.DType.I64;
import static jacquard.tensor.DType.U8;
import static jacquard.tests.roofline.Row.at;

import jacquard.tensor.DType;
import jacquard.tensor.Grid;
import jacquard.tensor.Padding;
import jacquard.tensor.Sequences;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import jacquard.tensor.Type;
import jacquard.tensor.op.Activation;
import jacquard.tensor.op.Adjoint;
import jacquard.tensor.op.Attention;
import jacquard.tensor.op.Collective;
import jacquard.tensor.op.Contraction;
import jacquard.tensor.op.Contrastive;
import jacquard.tensor.op.Elementwise;
import jacquard.tensor.op.Fused;
import jacquard.tensor.op.Indexing;
import jacquard.tensor.op.Op;
import jacquard.tensor.op.Ranges;
import jacquard.tensor.op.Reduction;
import jacquard.tensor.op.Update;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.stream.IntStream;

/// What is run so that every kernel is: the shapes of a ViT-L/14 of batch 64, of a ResNet-50's second stage, of a loss
/// over 8,192 pairs, and, where `small`, ones that an emulation gets through and that take the same kernels.
final class Rows {
  private final boolean small;
  private final int images, tokens, rows, width;
  private final List<Row> all = new ArrayList<>();

  private Rows(boolean small) {
    this.small = small;
    images = pick(64, 2);
    tokens = pick(257, 5);
    rows = images * tokens;
    width = pick(1024, 64);
  }

  static List<Row> of(boolean small) {
    var r = new Rows(small);
    r.elementwise();
    r.movement();
    r.norms();
    r.products();
    r.attention();
    r.losses();
    r.images();
    r.indexing();
    r.updates();
    r.collectives();
    return r.all;
  }

  private int pick(int large, int little) { return small ? little : large; }
  private static Type type(DType dtype, int... dims) { return new Type(dtype, Shape.of(dims)); }
  private void row(List<Type> in, Row.Body body, Row.Bound... kernels) {
    all.add(new Row(in, 1 << 10, body, List.of(kernels), false));
  }
  private void run(Op op, List<Type> in, Row.Bound... kernels) { row(in, (_, t) -> Tensor.applyAll(op, t), kernels); }
  private void below(int limit) { all.add(all.removeLast().below(limit)); }

  private void elementwise() {
    int n = rows * width;
    for (var dtype : List.of(F32, BF16)) {
      int b = dtype.bytes();
      var s = dtype == F32 ? "_f32" : "_bf16";
      Type x = type(dtype, rows, width), vector = type(dtype, width);
      run(new Elementwise.Activate(Activation.QUICK_GELU), List.of(x), at("unary" + s, "n", n, "b", b));
      run(new Adjoint.Activate(Activation.QUICK_GELU), List.of(x, x), at("activation_backward" + s, "n", n, "b", b));
      run(new Elementwise.Add(), List.of(x, x), at("binary" + s, "n", n, "b", b));
      run(new Elementwise.Add(), List.of(x, vector), at("broadcast" + s, "n", n, "m", width, "b", b));
      run(new Elementwise.Cast(dtype == F32 ? BF16 : F32), List.of(x), at("cast_*", "n", n));
      run(new Reduction.Sum(new int[] {1}, false), List.of(x), at("reduce_rows" + s, "n", n, "b", b));
      if (dtype == F32)
        run(new Reduction.Sum(new int[] {0}, false), List.of(type(F32, pick(rows, 130), width)),
            at("reduce_columns_f32", "n", pick(n, 130 * width), "b", b),
            at("fold_columns", "n", Math.ceilDiv(pick(rows, 130), 64) * width));
      else run(new Reduction.Sum(new int[] {0}, false), List.of(x), at("reduce_columns_bf16", "n", n, "b", b));
    }
    run(new Elementwise.Cast(F32), List.of(type(I32, rows, width)), at("cast", "n", n));
  }

  private void movement() {
    int n = rows * width;
    row(List.of(), (_, _) -> Tensor.full(Shape.of(rows, width), 1), at("fill_f32", "n", n));
    for (var dtype : List.of(U8, BF16, F32, I64))
      row(List.of(type(dtype, rows, width)), (_, t) ->
          t.getFirst().permute(1, 0).copy(), at("copy_" + dtype.bytes(), "n", n, "b", dtype.bytes()));
  }

  private void norms() {
    int n = rows * width;
    Type x = type(F32, rows, width), h = type(BF16, rows, width), vector = Type.f32(width), column = Type.f32(rows);
    run(new Fused.LayerNorm(1e-5f, true), List.of(x, vector, vector), at("layer_norm_f32", "n", n));
    run(new Fused.LayerNorm(1e-5f, true).to(BF16), List.of(x, vector, vector), at("layer_norm_bf16", "n", n));
    run(new Adjoint.LayerNorm(true, false), List.of(x, vector, column, column, x, x),
        at("layer_norm_backward_f32", "n", n));
    run(new Adjoint.LayerNorm(true, true), List.of(x, vector, column, column, h, x),
        at("layer_norm_backward_bf16", "n", n));
    run(new Fused.Softmax(), List.of(x), at("softmax_f32", "n", n));
    run(new Adjoint.Softmax(), List.of(x, x), at("softmax_backward_f32", "n", n));
    run(new Fused.Normalize(1e-12f), List.of(x), at("normalize_f32", "n", n));
    run(new Adjoint.Normalize(1e-12f), List.of(x, x), at("normalize_backward_f32", "n", n));
    int r = pick(64 * 56 * 56, 130), c = pick(256, 40), pieces = Math.ceilDiv(r, Math.max(64, Math.ceilDiv(r, 256)));
    Type map = Type.f32(r, c), channel = Type.f32(c);
    run(new Fused.BatchNorm(1e-5f, true), List.of(map, channel, channel),
        at("batch_norm_statistics", "pieces", pieces, "m", c), at("batch_norm_*", "n", r * c));
    run(new Adjoint.BatchNorm(1e-5f), List.of(map, channel, channel, channel, map),
        at("batch_norm_backward_sums", "pieces", pieces, "m", c), at("batch_norm_*", "n", r * c));
  }

  /// Large tiles where there are at least 128 of them, small ones elsewhere; a sum over many rows of a small product is
  /// split.
  private void products() {
    for (var dtype : List.of(BF16, F32)) {
      int b = dtype.bytes();
      for (int t = 0; t < 4; t++) {
        boolean ta = (t & 2) != 0, tb = (t & 1) != 0;
        product(dtype, ta, tb, pick(rows, 2048), pick(width, 1024), pick(width, 8));
        product(dtype, ta, tb, pick(1024, 40), pick(1024, 64), pick(4096, 32));
      }
      int m = pick(512, 32) / (dtype == F32 ? 2 : 1), k = pick(rows, 1024), tile = dtype == F32 ? 32 : 64, tiles =
          Math.ceilDiv(m, tile) * Math.ceilDiv(m, tile);
      run(new Contraction.MatMul(true, false), List.of(type(dtype, k, m), type(dtype, k, m)),
          at("matmul_finish_*", "m", m, "n", m, "splits", Math.min(Math.min(128 / tiles, k / 256), 32), "b", b));
    }
  }

  private void product(DType dtype, boolean ta, boolean tb, int m, int n, int k) {
    run(new Contraction.MatMul(ta, tb), List.of(ta ? type(dtype, k, m) : type(dtype, m, k), tb ? type(dtype, n, k)
        : type(dtype, k, n)), at("matmul_*", "m", m, "n", n, "k", k));
  }

  private void attention() {
    for (int head : new int[] {32, 64, 72, 80, 88, 96, 104, 112, 128})
      attend(BF16, pick(16, 1), head, head == 64 || head == 128);
    attend(F32, pick(16, 1), 64, true);
    attend(F32, pick(8, 1), pick(256, 72), false);
  }

  /// A bias costs the kernels of its gradient besides.
  private void attend(DType dtype, int heads, int head, boolean biased) {
    var s = Sequences.equal(images, tokens);
    var plain = new Attention(heads, (float) (1 / Math.sqrt(head)), s, s, Ranges.full(s, s));
    Type x = type(dtype, rows, heads * head), sums = Type.f32(rows, heads), bias = Type.f32(heads, tokens, tokens);
    Object[] work = {"q", tokens, "k", tokens, "d", head, "times", heads * images};
    run(plain.recorded(), List.of(x, x, x), at("attention_forward_*", work));
    run(new Adjoint.Attend(plain), List.of(x, x, x, x, sums, x), at("attention_backward_*", work));
    if (!biased) return;
    // two parts of the gradient at least
    int many = Math.max(images, 17), shares = Math.clamp(Math.ceilDiv(many, 16), 1, 16);
    var m = Sequences.equal(many, tokens);
    var with = new Attention(heads, plain.scale(), m, m, Ranges.full(m, m)).withBias();
    Type y = type(dtype, many * tokens, heads * head), lse = Type.f32(many * tokens, heads);
    var kernels =
        new ArrayList<>(List.of(at("attention_backward_bias_*", "q", tokens, "k", tokens, "d", head, "times",
        heads * many)));
    if (dtype == F32) kernels.add(at("attention_bias_fold", "n", heads * tokens * tokens, "pieces", shares));
    run(new Adjoint.Attend(with), List.of(y, y, y, bias, y, lse, y), kernels.toArray(Row.Bound[]::new));
  }

  private void losses() {
    int n = pick(8192, 70), d = pick(768, 16), tile = pick(512, 64);
    Type one = Type.f32(), peaks = Type.f32(2, n), groups = type(I32, n);
    for (var dtype : List.of(BF16, F32)) {
      var x = type(dtype, n, d);
      int b = dtype.bytes(), stretches = Math.ceilDiv(n, dtype == F32 ? 64 : 128);
      Row.Bound forward = at("contrastive_sigmoid_*", "n", n, "d", d), fold =
          at("contrastive_fold", "blocks", stretches * stretches);
      Object[] slopes = {"rows", n, "n", n, "d", d, "b", b, "times", 2};
      if (dtype == F32) run(new Contrastive.Sigmoid(tile, false, false), List.of(x, x, one, one), forward, fold);
      else run(new Contrastive.Sigmoid(tile, false, false), List.of(x, x, one, one), forward);
      run(new Contrastive.Sigmoid(tile, false, true), List.of(x, x, one, one), at("contrastive_*_slopes_*", slopes));
      if (dtype == F32)
        run(new Contrastive.Softmax(tile, true, true), List.of(x, x, one, groups, groups),
            at("contrastive_softmax_*", "n", n, "d", d), at("contrastive_merge", "n", 2 * n, "stretches", stretches),
            at("contrastive_shares", "n", n));
      else
        run(new Contrastive.Softmax(tile, false, true), List.of(x, x, one),
            at("contrastive_softmax_*", "n", n, "d", d));
      run(new Adjoint.SoftmaxContrastive(new Contrastive.Softmax(tile, false, true)),
          List.of(x, x, one, peaks, peaks, one), at("contrastive_*_slopes_*", slopes));
    }
  }

  private void images() {
    int side = pick(224, 28);
    for (int patch : new int[] {14, 7}) {
      var channels = List.of(0.5f, 0.5f, 0.5f);
      run(new Fused.Patches(new Grid(side, side), patch, channels, channels),
          List.of(type(U8, images * side * side, 3)),
          at(patch == 14 ? "patches_4" : "patches", "n", images * side * side * 3));
    }
    int map = pick(56, 4), batch = pick(32, 2), pixels = batch * map * map, c = pick(64, 8);
    var grid = new Grid(map, map);
    for (var dtype : List.of(BF16, F32)) {
      int b = dtype.bytes();
      var s = dtype == F32 ? "_f32" : "_bf16";
      var conv = new Fused.Conv2d(grid, 1, 1);
      for (int channels : new int[] {c, c - 1}) {
        Type x = type(dtype, pixels, channels), w = type(dtype, 64, 3, 3, channels), y = type(dtype, pixels, 64);
        if (channels < c || dtype == F32)
          run(conv, List.of(x, w), at("im2col_*", "n", pixels * channels, "m", pixels * channels * 9, "b", b));
        run(new Adjoint.Conv2dInput(conv), List.of(w, y),
            at("col2im_*", "n", pixels * channels, "m", pixels * channels * 9, "b", b));
      }
      for (int channels : new int[] {4 * c, 4 * c - 1}) depthwise(dtype, pick(16, 2), Grid.of(pick(28, 4)), channels);
      var pool = new Fused.AveragePool(grid, 2);
      Object[] work = {"n", pixels * 4 * c, "m", pixels * c, "b", b};
      run(pool, List.of(type(dtype, pixels, 4 * c)), at("average_pool" + s, work));
      run(new Adjoint.AveragePool(pool), List.of(type(dtype, pixels / 4, 4 * c)),
          at("average_pool_backward" + s, work));
    }
  }

  /// A stage of a ConvNeXt, 7×7; channels in fours, or one by one.
  private void depthwise(DType dtype, int batch, Grid grid, int channels) {
    var op = new Fused.Conv2d(grid, 1, Padding.of(3), channels, true);
    int n = batch * grid.size() * channels;
    Type x = type(dtype, batch * grid.size(), channels), w = type(dtype, channels, 7, 7, 1);
    Object[] work = {"n", n, "m", n, "k", 49, "b", dtype.bytes()};
    run(op, List.of(x, w, type(dtype, channels)), at("depthwise_*", work));
    run(new Adjoint.Conv2dInput(op), List.of(w, x), at("depthwise_backward_*", work));
    if (channels % 4 == 0) run(new Adjoint.Conv2dWeight(op, w.shape()), List.of(x, x), at("depthwise_weight_*", work));
  }

  private void indexing() {
    var index = type(I32, rows);
    for (var x : List.of(type(BF16, rows, width), type(F32, rows, width - 1), type(BF16, rows, width - 1),
        type(U8, rows, width - 1))) {
      run(new Indexing.Gather(), List.of(x, index), at("gather_*", "n", x.shape().size(), "b", x.dtype().bytes()));
      below(rows);
    }
    int few = pick(64, 8), many = pick(rows, 300), words = pick(49408, 300);
    for (var dtype : List.of(BF16, F32))
      for (int columns : new int[] {pick(512, 16), pick(511, 15)}) {
        int b = dtype.bytes();
        run(new Indexing.ScatterAdd(pick(rows, 20)), List.of(type(dtype, few, columns), type(I32, few)),
            at("scatter_few_*", "n", few * columns, "m", pick(rows, 20) * columns, "b", b));
        below(pick(rows, 20));
        var sum = at("segment_sum_*", "n", many * columns, "m", words * columns, "b", b);
        if (columns % 2 == 0 && dtype == F32)
          run(new Indexing.ScatterAdd(words), List.of(type(dtype, many, columns), type(I32, many)), sum,
              at("sort_*", "rows", many), at("segment_begin", "rows", many));
        else run(new Indexing.ScatterAdd(words), List.of(type(dtype, many, columns), type(I32, many)), sum);
        below(words);
      }
  }

  private void updates() {
    int n = pick(1 << 24, 5000);
    var p = Type.f32(n);
    run(new Update.AdamW(1e-3, 0.9, 0.98, 1e-6, 0.2, 10, 1), List.of(p, p, p, p), at("adamw", "n", n));
    run(new Update.Descent(1e-3, 0.9, true, 0.2, 1), List.of(p, p, p), at("descent", "n", n));
    run(new Update.Blend(0.1f, 1), List.of(p, p), at("blend", "n", n));
    run(new Fused.Norm(), List.of(p), at("norm_pieces", "n", n), at("norm_total", "pieces", Math.ceilDiv(n, 4096)));
  }

  /// What starts or ends at an odd element goes element by element.
  private void collectives() {
    int n = pick(1 << 24, 4096);
    for (var odd : List.of(0, 1)) {
      int part = n + odd;
      for (var dtype : odd == 0 ? List.of(F32) : List.of(F32, BF16, U8))
        ranks(List.of(type(dtype, part)), (g, t) ->
            Tensor.applyAll(new Collective.AllGather(g, each(g.size(), part)), t),
                at("all_gather_*", "n", part, "b", dtype.bytes()));
      for (var dtype : List.of(F32, BF16)) {
        ranks(List.of(type(dtype, part)), (g, t) ->
            Tensor.apply(new Collective.ReduceScatter(g, each(g.size(), part)),
                Tensor.concat(0, Collections.nCopies(g.size(), t.getFirst()))),
            at("reduce_scatter_*", "n", part, "b", dtype.bytes()));
        if (odd == 0)
          ranks(List.of(type(dtype, part)), (g, t) -> Tensor.applyAll(new Collective.AllReduce(g, 1f / g.size(), 1), t),
              at("all_reduce_*", "n", part, "b", dtype.bytes()));
      }
    }
    int r = pick(32 * 56 * 56, 130), c = pick(256, 40);
    ranks(List.of(Type.f32(r, c), Type.f32(c), Type.f32(c)), (g, t) ->
        Tensor.applyAll(new Collective.BatchNorm(g, 1e-5f, true), t), at("batch_norm_shares", "pieces", 1, "m", c));
  }

  private void ranks(List<Type> in, Row.Body body, Row.Bound... kernels) {
    all.add(new Row(in, 1, body, List.of(kernels), true));
  }

  private static int[] each(int ranks, int n) { return IntStream.generate(() -> n).limit(ranks).toArray(); }
}
