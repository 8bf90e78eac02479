package jacquard.clip.tune.prompt;

import jacquard.autograd.Named;
import jacquard.clip.model.ClipModel;
import jacquard.clip.model.tower.ImageBatch;
import jacquard.clip.model.tower.TextTower;
import jacquard.clip.nn.Init;
import jacquard.clip.nn.Linear;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Activation;

/// CoCoOp (Zhou et al. 2022): each picture moves the vectors by what a small net makes of its feature, so that every
/// picture has texts of its own.
///
/// @param vectors `[vectors, width]`
public record Conditional(@Named("ctx") Tensor vectors, @Named("meta_net") Net net) implements Prompt {
  private static final int REDUCTION = 16;

  /// The small net: down, an activation, up.
  public record Net(@Named("linear1") Linear down, @Named("linear2") Linear up) {
    public static Net of(Init.Maker make, int embedding, int width) {
      int h = Math.max(1, embedding / REDUCTION);
      return new Net(Linear.of(make, embedding, h, Init.fanIn(embedding), Init.fanIn(embedding)),
          Linear.of(make, h, width, Init.fanIn(h), Init.fanIn(h)));
    }

    Tensor apply(Tensor x) { return up.apply(down.apply(x, Activation.RELU)); }
  }

  @Override public Logits logits(ClipModel base, ImageBatch images, Captions names) {
    var x = base.embedImages(images);                                             // [n, embedding]
    return new Logits(x, cosines(base.text(), x, names.placed(Captions.Position.END, 0)).mul(base.scale()));
  }

  /// Of each picture with each caption, whose tokens −1 … −M are the vectors. `[n, captions]`
  ///
  /// @param x normalised features of the pictures `[n, embedding]`
  public Tensor cosines(TextTower base, Tensor x, int[][] captions) {
    int n = x.dim(0), m = vectors.dim(0), count = captions.length;
    int[] eachVector = new int[n * m], eachPicture = new int[n * m], whose = new int[n * count];
    for (int i = 0; i < eachVector.length; i++) {
      eachVector[i] = i % m;
      eachPicture[i] = i / m;
    }
    int[][] own = new int[n * count][];
    for (int i = 0; i < whose.length; i++) {
      whose[i] = i / count;
      own[i] = captions[i % count].clone();
      for (int at = 0; at < own[i].length; at++) if (own[i][at] < 0) own[i][at] -= i / count * m;
    }
    var rows = vectors.gather(eachVector).add(net.apply(x).gather(eachPicture));  // [n·vectors, width]
    return base.prompted(rows, null).features(own).normalize().mul(x.gather(whose)).sum(1).reshape(n, count);
  }
}
