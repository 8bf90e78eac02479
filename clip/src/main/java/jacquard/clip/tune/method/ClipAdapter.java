package jacquard.clip.tune.method;

import jacquard.clip.model.ClipModel;
import jacquard.clip.nn.Init;
import jacquard.clip.train.task.Task;
import jacquard.clip.tune.Method;
import jacquard.clip.tune.Start;
import jacquard.clip.tune.head.FeatureAdapter;
import jacquard.clip.tune.learned.Bottleneck;
import jacquard.tensor.Random;

/// CLIP-Adapter (Gao et al. 2024): a small net beside the pictures' features.
public record ClipAdapter() implements Method {
  @Override public boolean stays() { return true; }

  @Override public Task task(ClipModel model, Start start) {
    var net = FeatureAdapter.of(Init.Maker.drawn(Random.of(start.seed()).fold("adapter")),
        start.config().embedding());
    return Extended.task(Extended.fixed(model), start, new Bottleneck(net), false);
  }
}
