package jacquard.clip.loss;

import jacquard.tensor.Pass;
import jacquard.tensor.Precision;
import jacquard.tensor.Tensor;

/// A student's logits after a teacher's (OpenCLIP's `DistillClipLoss`), added to the contrastive loss of the student:
///
/// ```
/// ½·[H(softmax(T), softmax(S)) + H(softmax(Tᵀ), softmax(Sᵀ))],   S = s·X·Yᵀ,   T the same of the teacher,   H(p, q) =
/// mean over rows of −Σ p·log q
/// ```
///
/// Both models see the same pairs; their embeddings may differ in width. Holds the n×n logits of both, unlike
/// [ContrastiveLoss].
public final class DistillLoss {
  private DistillLoss() {}

  /// What a model makes of the pairs.
  ///
  /// @param images,texts normalised features `[n, d]`
  /// @param scale        the factor on cosines, one element
  public record Seen(Tensor images, Tensor texts, Tensor scale) {
    /// `[n, n]`
    private Tensor logits() { return images.matmul(false, texts, true).mul(scale); }
  }

  public static Tensor of(Seen student, Seen teacher) {
    return Pass.current().precision(Precision.FP32).call(() -> full(student, teacher));
  }

  private static Tensor full(Seen student, Seen teacher) {
    Tensor s = student.logits(), t = teacher.logits();
    return crossEntropy(t, s).add(crossEntropy(t.permute(1, 0), s.permute(1, 0))).mul(0.5f);
  }

  /// Mean over rows of log Σ e^s − Σ softmax(t)·s.
  private static Tensor crossEntropy(Tensor t, Tensor s) {
    var largest = s.maxKeeping(1);                                                // [n, 1]
    var logSum = s.subtract(largest).exp().sumKeeping(1).log().add(largest);
    return logSum.sum().subtract(t.dense().softmax().mul(s).sum()).mul(1f / s.dim(0));
  }
}
