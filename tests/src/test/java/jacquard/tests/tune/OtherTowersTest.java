package jacquard.tests.tune;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jacquard.autograd.Named;
import jacquard.clip.checkpoint.ModelFiles;
import jacquard.clip.data.source.EmojiSource;
import jacquard.clip.data.source.Part;
import jacquard.clip.data.source.Source;
import jacquard.clip.eval.Templates;
import jacquard.clip.image.Transform;
import jacquard.clip.model.ClipConfig;
import jacquard.clip.model.ClipModel;
import jacquard.clip.model.HubConfig;
import jacquard.clip.model.tower.Encoding;
import jacquard.clip.model.tower.PromptRoom;
import jacquard.clip.model.tower.TextInput;
import jacquard.clip.model.tower.TextTower;
import jacquard.clip.nn.transformer.DeepPrompts;
import jacquard.clip.text.ClipTokenizer;
import jacquard.clip.tune.Method;
import jacquard.clip.tune.Start;
import jacquard.clip.tune.method.prompt.CoCoop;
import jacquard.clip.tune.method.prompt.Coop;
import jacquard.clip.tune.method.prompt.Maple;
import jacquard.clip.tune.method.prompt.PromptSrc;
import jacquard.clip.tune.method.prompt.Wording;
import jacquard.tensor.Scope;
import jacquard.tensor.Tensor;
import jacquard.tests.Conformance;
import java.io.IOException;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/// A text tower of another kind takes prompts by saying what it takes.
class OtherTowersTest {
  private static final ClipConfig CONFIG = ClipConfig.parse("""
      {"embed_dim": 8, "vision_cfg": {"image_size": 16, "layers": 2, "width": 16, "head_width": 8, "patch_size": 8},
       "text_cfg": {"context_length": 12, "vocab_size": 49408, "width": 8, "heads": 1, "layers": 3}}""");

  /// Of no kind that is known.
  record Other(@Named("") TextTower base) implements TextTower {
    @Override public Tensor features(int[][] captions) { return base.features(captions); }
    @Override public Encoding tokens(int[][] captions) { return base.tokens(captions); }
    @Override public TextInput input() { return base.input(); }
    @Override public List<List<String>> groups() { return base.groups(); }
    @Override public PromptRoom promptRoom() { return base.promptRoom(); }
    @Override public TextTower prompted(Tensor context, DeepPrompts deep) { return base.prompted(context, deep); }
  }

  /// One that says nothing.
  record Silent(@Named("") TextTower base) implements TextTower {
    @Override public Tensor features(int[][] captions) { return base.features(captions); }
    @Override public Encoding tokens(int[][] captions) { return base.tokens(captions); }
    @Override public TextInput input() { return base.input(); }
    @Override public List<List<String>> groups() { return base.groups(); }
  }

  private static Start start() {
    Source some = new Part(EmojiSource.heldOut(), "some", IntStream.range(0, 8).toArray());
    var hub = new HubConfig(CONFIG, HubConfig.preprocess(CONFIG));
    return new Start(new ModelFiles(hub, null, null), new Transform(hub.preprocess()), ClipTokenizer.clip(), some, null,
        null, some, Templates.NONE, 1, new Start.Epochs(2, 2));
  }

  private static ClipModel with(ClipModel m, TextTower text) {
    return new ClipModel(m.visual(), text, m.logitScale(), m.logitBias(), m.decoder(), m.config());
  }

  @Test void anotherTowerJoinsByWhatItSays() throws IOException {
    var wording = new Wording("a photo", 0);
    for (Method method : List.of(new Coop(wording), new CoCoop(wording), new Maple(wording), new PromptSrc(wording)))
      try (var _ = Scope.open(Conformance.device())) {
        var own = ClipModel.create(CONFIG, 5);
        var theirs = method.task(own, start()).parameters().trained();
        var ours = method.task(with(own, new Other(own.text())), start()).parameters().trained();
        assertEquals(theirs.keySet(), ours.keySet());
        assertTrue(!ours.isEmpty(), method.toString());
        var e = assertThrows(IllegalArgumentException.class, () ->
            method.task(with(own, new Silent(own.text())), start()));
        assertTrue(e.getMessage().contains("CLIP's own text tower"), e.getMessage());
      }
  }
}
