package jacquard.clip.tune.method;

import jacquard.clip.data.Batches;
import jacquard.clip.image.Augmentation;
import jacquard.clip.image.Interpolation;
import jacquard.clip.model.ClipModel;
import jacquard.clip.model.tower.ImageBatch;
import jacquard.clip.train.task.Task;
import jacquard.clip.tune.Method;
import jacquard.clip.tune.Start;
import jacquard.clip.tune.learned.Remembered;
import jacquard.tensor.Random;
import jacquard.tensor.Scope;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import java.io.IOException;
import java.util.Arrays;
import java.util.SplittableRandom;

/// Tip-Adapter (Zhang et al. 2022): some pictures of each name are remembered by the mean feature of ten views. Their
/// features are trained on, or nothing is.
///
/// @param shots pictures of a name, at most
public record Tip(int shots, boolean trained) implements Method {
  private static final int VIEWS = 10;
  private static final double ALPHA = 1, BETA = 5.5, LEAST = 0.5;

  public Tip {
    if (shots < 1) throw new IllegalArgumentException("--shots " + shots + ", expected 1 or more");
  }

  @Override public boolean stays() { return true; }
  @Override public boolean trains() { return trained; }

  @Override public Task task(ClipModel model, Start start) throws IOException {
    var fixed = Extended.fixed(model);
    int[] labels = start.classes().labels(), chosen = chosen(start, labels);
    int e = start.config().embedding();
    float[] keys = new float[chosen.length * e];
    for (int i = 0; i < chosen.length; i++)
      try (var _ = Scope.open()) {
        System.arraycopy(fixed.embedImages(views(start, chosen[i])).sum(0).reshape(1, e).normalize().floats(), 0, keys,
            i * e, e);
      }
    return Extended.task(fixed, start, new Remembered(new Remembered.Keys(Tensor.of(Shape.of(chosen.length, e), keys)),
        Arrays.stream(chosen).map(i -> labels[i]).toArray(), Extended.known(start), ALPHA, BETA), false);
  }

  /// The first of each name in an order by chance.
  private int[] chosen(Start start, int[] labels) {
    var key = Random.of(start.seed()).fold("shots");
    int n = start.fresh().size();
    int[] taken = new int[Extended.fresh(start).size()];
    return Arrays.stream(Batches.shuffled(n, key)).filter(i -> taken[labels[i]]++ < shots).toArray();
  }

  private static ImageBatch views(Start start, int index) throws IOException {
    var augmentation = Augmentation.DEFAULT.cropped(new Augmentation.Crop(LEAST, 1, 3.0 / 4, 4.0 / 3,
        Interpolation.BICUBIC)).flip(.5);
    var picture = start.fresh().picture(index);
    var size = start.config().vision().input();
    float[] rows = new float[VIEWS * size.size() * 3];
    for (int v = 0; v < VIEWS; v++) {
      float[] one = start.transform().rows(picture, augmentation, new SplittableRandom(start.seed() * 31 + (long) index
          * VIEWS + v));
      System.arraycopy(one, 0, rows, v * one.length, one.length);
    }
    return ImageBatch.of(rows, VIEWS, size);
  }
}
