package jacquard.clip.data;

import jacquard.clip.image.Augmentation;
import jacquard.clip.image.PatchFrame;
import jacquard.clip.image.Picture;
import jacquard.clip.image.Transform;
import jacquard.tensor.Grid;
import java.util.List;
import java.util.random.RandomGenerator;

/// How pictures become the input of a batch.
public sealed interface Framing {
  /// @param rows normalised
  /// @param grid pixels, or patches, down and across
  record Framed(float[] rows, Grid grid) {}

  /// One picture, changed by chance.
  Framed of(Picture picture, RandomGenerator random);

  /// All of a batch.
  Batch.Input joined(List<Framed> all);

  /// All in one size, that of the transform.
  record Whole(Transform transform, Augmentation augmentation) implements Framing {
    @Override public Framed of(Picture picture, RandomGenerator random) {
      return new Framed(transform.rows(picture, augmentation, random), grid());
    }

    @Override public Batch.Pictures joined(List<Framed> all) { return new Batch.Pictures(rows(all), grid()); }

    private Grid grid() { return new Grid(transform.config().height(), transform.config().width()); }
  }

  /// Each at its own proportions, in patches (NaFlex).
  record Flexible(Transform transform, Augmentation augmentation, PatchFrame frame) implements Framing {
    @Override public Framed of(Picture picture, RandomGenerator random) {
      var image = augmentation.apply(picture, frame, random);
      return new Framed(transform.patches(image, frame.side()),
          new Grid(image.height() / frame.side(), image.width() / frame.side()));
    }

    @Override public Batch.Patches joined(List<Framed> all) {
      return new Batch.Patches(rows(all), all.stream().map(Framed::grid).toList(), frame.side(), frame.room());
    }
  }

  private static float[] rows(List<Framed> all) {
    int n = 0;
    for (var f : all) n = Math.addExact(n, f.rows.length);
    float[] r = new float[n];
    int at = 0;
    for (var f : all) {
      System.arraycopy(f.rows, 0, r, at, f.rows.length);
      at += f.rows.length;
    }
    return r;
  }
}
