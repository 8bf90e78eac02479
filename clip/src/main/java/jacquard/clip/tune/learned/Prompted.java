package jacquard.clip.tune.learned;

import com.fasterxml.jackson.databind.node.ObjectNode;
import jacquard.autograd.Named;
import jacquard.clip.model.ClipModel;
import jacquard.clip.model.tower.Encoding;
import jacquard.clip.model.tower.ImageBatch;
import jacquard.clip.model.tower.ImageTower;
import jacquard.clip.model.tower.Patches;
import jacquard.clip.model.tower.TextTower;
import jacquard.clip.nn.Linear;
import jacquard.clip.tune.prompt.Captions;
import jacquard.clip.tune.prompt.Context;
import jacquard.clip.tune.prompt.Independent;
import jacquard.clip.tune.prompt.Linked;
import jacquard.clip.tune.prompt.Prompt;
import jacquard.tensor.Tensor;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/// A prompt of CoOp, MaPLe or PromptSRC around any name.
public record Prompted(String kind, Prompt prompt, PromptWords words) implements Learned {
  public static final String COOP = "coop", MAPLE = "maple", PROMPTSRC = "promptsrc";

  @Override public Record tensors() { return (Record) prompt; }

  @Override public ObjectNode settings() { return words.settings(); }

  @Override public ClipModel onto(ClipModel base, double share) {
    if (share == 0) return base;
    var seen = prompt instanceof Context ? base.visual() : new Images(base.visual(), new Held(prompt), share);
    return new ClipModel(seen, new Texts(base.text(), prompt, words, share), base.logitScale(), base.logitBias(),
        base.decoder(), base.config());
  }

  static Prompted read(String kind, Stored s) throws IOException {
    var vectors = s.tensor("ctx");
    return new Prompted(kind, switch (kind) {
      case COOP -> new Context(vectors, Captions.Position.END);
      case PROMPTSRC -> new Independent(vectors, many(s, "text"), s.tensor("rows"), many(s, "image"));
      default -> {
        var deep = many(s, "compound_prompts_text");
        var projections = new ArrayList<Linear>();
        for (int i = 0; i < deep.size(); i++) projections.add(linear(s, "compound_prompt_projections." + i));
        yield new Linked(vectors, linear(s, "proj"), deep, List.copyOf(projections));
      }
    }, s.words());
  }

  private static List<Tensor> many(Stored s, String name) throws IOException {
    var r = new ArrayList<Tensor>();
    while (s.file().contains(name + "." + r.size())) r.add(s.tensor(name + "." + r.size()));
    return List.copyOf(r);
  }

  static Linear linear(Stored s, String name) throws IOException {
    return new Linear.Dense(s.tensor(name + ".weight"), s.tensor(name + ".bias"));
  }

  /// The prompt's tensors are found here.
  record Texts(@Named("") TextTower base, Prompt prompt, PromptWords words, double share) implements AroundText {
    @Override public Tensor features(int[][] captions) {
      var with = prompt.text(base).features(words.around(captions, prompt.vectors().dim(0)));
      return share == 1 ? with : Learned.mixed(base.features(captions), with, share);
    }
  }

  /// A prompt whose tensors are those of the text tower, and not found a second time.
  static final class Held {
    private final Prompt prompt;
    Held(Prompt prompt) { this.prompt = prompt; }
  }

  record Images(@Named("") ImageTower base, Held held, double share) implements AroundImages {
    @Override public Tensor features(ImageBatch images) {
      var with = held.prompt.image(base).features(images);
      return share == 1 ? with : Learned.mixed(base.features(images), with, share);
    }

    @Override public Tensor features(Patches patches) {
      throw new IllegalArgumentException("prompts within the image tower are learned for pictures of one size");
    }

    @Override public Encoding tokens(ImageBatch images) { return held.prompt.image(base).tokens(images); }
    @Override public Tensor changed(Tensor features) { return features; }
  }
}
