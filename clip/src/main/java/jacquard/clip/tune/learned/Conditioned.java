package jacquard.clip.tune.learned;

import com.fasterxml.jackson.databind.node.ObjectNode;
import jacquard.autograd.Named;
import jacquard.clip.model.ClipModel;
import jacquard.clip.model.tower.TextTower;
import jacquard.clip.tune.prompt.Conditional;
import jacquard.tensor.Tensor;
import java.io.IOException;

/// A prompt of CoCoOp around any name, which each picture moves. Where captions are read without a picture, as in
/// searches among many, its vectors stand as they are.
public record Conditioned(Conditional prompt, PromptWords words) implements Learned {
  static final String KIND = "cocoop";

  @Override public String kind() { return KIND; }
  @Override public Record tensors() { return prompt; }
  @Override public ObjectNode settings() { return words.settings(); }

  @Override public ClipModel onto(ClipModel base, double share) {
    if (share == 0) return base;
    return new ClipModel(base.visual(), new Texts(base.text(), prompt, words, share), base.logitScale(),
        base.logitBias(), base.decoder(), base.config());
  }

  static Conditioned read(Stored s) throws IOException {
    return new Conditioned(new Conditional(s.tensor("ctx"), new Conditional.Net(Prompted.linear(s, "meta_net.linear1"),
        Prompted.linear(s, "meta_net.linear2"))), s.words());
  }

  record Texts(@Named("") TextTower base, Conditional prompt, PromptWords words, double share) implements AroundText {
    @Override public boolean perPicture() { return true; }

    @Override public Tensor features(int[][] captions) {
      int m = prompt.vectors().dim(0);
      var with = base.prompted(prompt.vectors(), null).features(words.around(captions, m));
      return share == 1 ? with : Learned.mixed(base.features(captions), with, share);
    }

    @Override public Tensor cosines(Tensor pictures, int[][] captions) {
      var with = prompt.cosines(base, pictures, words.around(captions, prompt.vectors().dim(0)));
      return share == 1 ? with : base.cosines(pictures, captions).mul((float) (1 - share)).add(with.mul((float) share));
    }
  }
}
