package jacquard.clip.tune.learned;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import jacquard.autograd.Named;
import jacquard.clip.model.ClipModel;
import jacquard.clip.model.tower.ImageTower;
import jacquard.clip.nn.Linear;
import jacquard.clip.tune.head.FeatureAdapter;
import jacquard.tensor.Tensor;
import java.io.IOException;

/// CLIP-Adapter: a small net beside the pictures' features, see [FeatureAdapter].
public record Bottleneck(FeatureAdapter tensors) implements Learned {
  static final String KIND = "clip-adapter";

  @Override public String kind() { return KIND; }

  @Override public ObjectNode settings() {
    return new ObjectMapper().createObjectNode().put("ratio", (double) tensors.share());
  }

  @Override public ClipModel onto(ClipModel base, double share) {
    if (share == 0) return base;
    return new ClipModel(new Images(base.visual(), tensors, share), base.text(), base.logitScale(), base.logitBias(),
        base.decoder(), base.config());
  }

  static Bottleneck read(Stored s) throws IOException {
    return new Bottleneck(new FeatureAdapter(new Linear.Dense(s.tensor("fc.0.weight"), null),
        new Linear.Dense(s.tensor("fc.2.weight"), null), (float) s.settings().path("ratio")
            .asDouble(FeatureAdapter.SHARE)));
  }

  record Images(@Named("") ImageTower base, @Named("adapter") FeatureAdapter adapter, double share)
      implements AroundImages {
    @Override public Tensor changed(Tensor features) {
      return Learned.mixed(features, adapter.apply(features), share);
    }
  }
}
