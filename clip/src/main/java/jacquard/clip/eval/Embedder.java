package jacquard.clip.eval;

import jacquard.clip.image.Transform;
import jacquard.clip.model.ClipModel;
import jacquard.clip.model.Images;
import jacquard.clip.report.Progress;
import jacquard.clip.text.ClipTokenizer;
import jacquard.tensor.Device;
import jacquard.tensor.Scope;
import java.io.IOException;
import java.util.List;

/// Normalised features of many images or texts, batch by batch; each batch's memory ends with it.
public record Embedder(ClipModel model, Transform transform, int batch) {
  public interface Pictures { jacquard.clip.image.Picture at(int index) throws IOException; }

  /// `[count, embedding]`, row-major.
  public float[][] images(int count, Pictures pictures, Progress progress) throws IOException {
    var out = new float[count][];
    var grid = model.config().vision().image();
    int each = grid.size() * 3;
    for (int from = 0; from < count; from += batch) {
      int n = Math.min(batch, count - from);
      float[] pixels = new float[n * each];
      for (int i = 0; i < n; i++) System.arraycopy(transform.rows(pictures.at(from + i)), 0, pixels, i * each, each);
      try (var _ = Scope.open(Device.best())) { rows(model.embedImages(Images.of(pixels, n, grid)).floats(), n, out, from); }
      if (progress != null) progress.advance(n);
    }
    return out;
  }

  public float[][] texts(List<String> captions, Progress progress) {
    var out = new float[captions.size()][];
    for (int from = 0; from < out.length; from += batch) {
      int n = Math.min(batch, out.length - from);
      int[][] tokens = ClipTokenizer.clip().tokenize(captions.subList(from, from + n), model.config().text().context());
      try (var _ = Scope.open(Device.best())) { rows(model.embedTexts(tokens).floats(), n, out, from); }
      if (progress != null) progress.advance(n);
    }
    return out;
  }

  private static void rows(float[] all, int n, float[][] out, int from) {
    int d = all.length / n;
    for (int i = 0; i < n; i++) out[from + i] = java.util.Arrays.copyOfRange(all, i * d, i * d + d);
  }
}
