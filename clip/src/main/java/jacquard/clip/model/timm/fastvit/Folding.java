package jacquard.clip.model.timm.fastvit;

import jacquard.clip.nn.BatchNorm;
import jacquard.clip.nn.Conv2d;
import jacquard.clip.nn.convolution.ConvNorm;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;

/// The sum of parallel convolutions, with their batch norms in evaluation, as one: W = Σ W_b·γ/√(σ² + ε) about a common
/// middle, b = Σ β − μ·γ/√(σ² + ε).
final class Folding {
  private final Conv2d like;
  private final double[] kernel, bias;

  /// @param like gives kernel, stride, padding and groups; its weights do not count
  Folding(Conv2d like) {
    this.like = like;
    kernel = new double[(int) like.weight().shape().size()];
    bias = new double[like.weight().dim(0)];
  }

  void add(ConvNorm branch) {
    var w = branch.convolution().weight();
    double[] factor = add(branch.norm());
    float[] v = w.floats();
    int side = w.dim(1), in = w.dim(3), each = side * side * in;
    for (int i = 0; i < v.length; i++)
      kernel[at(i / each, i % each / in / side, i % each / in % side, side) + i % in] += v[i] * factor[i / each];
  }

  /// A norm of x itself.
  void addIdentity(BatchNorm identity) {
    double[] factor = add(identity);
    for (int o = 0; o < bias.length; o++) kernel[at(o, 0, 0, 1) + o % like.weight().dim(3)] += factor[o];
  }

  /// x itself.
  void addIdentity() { for (int o = 0; o < bias.length; o++) kernel[at(o, 0, 0, 1) + o % like.weight().dim(3)]++; }

  /// γ·(other − less), γ a factor a channel.
  void add(Tensor gamma, Folding other, Folding less) {
    float[] g = gamma.floats();
    int each = kernel.length / bias.length;
    for (int i = 0; i < kernel.length; i++) kernel[i] += g[i / each] * (other.kernel[i] - less.kernel[i]);
    for (int o = 0; o < bias.length; o++) bias[o] += g[o] * (other.bias[o] - less.bias[o]);
  }

  /// A convolution with a bias of its own.
  void add(Conv2d convolution) {
    float[] w = convolution.weight().floats(), b = convolution.bias().floats();
    for (int i = 0; i < w.length; i++) kernel[i] += w[i];
    for (int o = 0; o < b.length; o++) bias[o] += b[o];
  }

  /// Adds the norm's bias; gives its factor of each channel.
  private double[] add(BatchNorm norm) {
    float[] weight = norm.weight().floats(), shift = norm.bias().floats(), mean = norm.mean().floats(), variance =
        norm.variance().floats();
    double[] factor = new double[weight.length];
    for (int o = 0; o < factor.length; o++) {
      factor[o] = weight[o] / Math.sqrt(variance[o] + (double) norm.epsilon());
      bias[o] += shift[o] - mean[o] * factor[o];
    }
    return factor;
  }

  /// Where the inputs of a place of a smaller kernel begin, which lies in the middle.
  private int at(int out, int y, int x, int side) {
    var w = like.weight();
    int off = (w.dim(1) - side) / 2;
    return ((out * w.dim(1) + y + off) * w.dim(2) + x + off) * w.dim(3);
  }

  Conv2d convolution() {
    return new Conv2d(Tensor.of(like.weight().shape(), floats(kernel)), Tensor.of(Shape.of(bias.length), floats(bias)),
        like.stride(), like.padding(),
        like.groups());
  }

  private static float[] floats(double[] v) {
    float[] r = new float[v.length];
    for (int i = 0; i < r.length; i++) r[i] = (float) v[i];
    return r;
  }
}
