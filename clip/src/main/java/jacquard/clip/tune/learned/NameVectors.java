package jacquard.clip.tune.learned;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import jacquard.autograd.Named;
import jacquard.clip.model.ClipModel;
import jacquard.clip.model.tower.TextTower;
import jacquard.tensor.Tensor;
import java.io.IOException;

/// Vectors in place of the features of known captions: a linear probe, whose weights are the names' vectors. Other
/// captions are read as before.
public record NameVectors(Vectors tensors, Known known) implements Learned {
  static final String KIND = "names";

  /// @param vectors `[names, embedding]`
  public record Vectors(Tensor vectors) {}

  @Override public String kind() { return KIND; }

  @Override public ObjectNode settings() { return known.into(new ObjectMapper().createObjectNode()); }

  @Override public ClipModel onto(ClipModel base, double share) {
    if (share == 0) return base;
    return new ClipModel(base.visual(), new Texts(base.text(), tensors, known, share), base.logitScale(),
        base.logitBias(), base.decoder(), base.config());
  }

  static NameVectors read(Stored s) throws IOException {
    return new NameVectors(new Vectors(s.tensor("vectors")), Known.read(s.settings()));
  }

  record Texts(@Named("") TextTower base, @Named("names") Vectors names,
      Known known, double share) implements AroundText {
    @Override public Tensor features(int[][] captions) {
      int[] which = known.of(captions);
      int unknown = 0;
      for (int w : which) if (w < 0) unknown++;
      if (unknown == which.length) return base.features(captions);
      var all = unknown == 0 && share == 1 ? null : base.features(captions);
      return Known.replaced(all, names.vectors, which, share);
    }
  }
}
