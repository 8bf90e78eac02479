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

  /// @param images,texts               the student's normalised features `[n, d]`
  /// @param scale                      the student's factor on cosines, one element
  /// @param teacherImages,teacherTexts the teacher's `[n, e]`
  public static Tensor of(Tensor images, Tensor texts, Tensor scale, Tensor teacherImages, Tensor teacherTexts,
      Tensor teacherScale) {
    return Pass.current().precision(Precision.FP32)
        .call(() -> full(images, texts, scale, teacherImages, teacherTexts, teacherScale));
  }

  private static Tensor full(Tensor images, Tensor texts, Tensor scale, Tensor teacherImages, Tensor teacherTexts,
      Tensor teacherScale) {
    var s = images.matmul(false, texts, true).mul(scale);                         // [n, n]
    var t = teacherImages.matmul(false, teacherTexts, true).mul(teacherScale);
    return crossEntropy(t, s).add(crossEntropy(t.permute(1, 0), s.permute(1, 0))).mul(0.5f);
  }

  /// Mean over rows of log Σ e^s − Σ softmax(t)·s.
  private static Tensor crossEntropy(Tensor t, Tensor s) {
    var largest = s.maxKeeping(1);                                                // [n, 1]
    var logSum = s.subtract(largest).exp().sumKeeping(1).log().add(largest);
    return logSum.sum().subtract(t.dense().softmax().mul(s).sum()).mul(1f / s.dim(0));
  }
}
