package jacquard.tests.clip.checkpoint;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jacquard.clip.Clip;
import jacquard.clip.checkpoint.Conversion;
import jacquard.clip.checkpoint.Conversion.Layout;
import jacquard.clip.checkpoint.ModelFiles;
import jacquard.clip.checkpoint.Stored;
import jacquard.clip.checkpoint.Weights;
import jacquard.clip.checkpoint.names.Names;
import jacquard.clip.text.TokenizerFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Models in another layout hold the same values.
class ConversionTest {
  private static final Path FIXTURES = Path.of("src/main/resources/fixtures");
  @TempDir Path folder;

  private static void same(Path one, Path other) throws IOException {
    try (var a = Names.openClip(Weights.open(one)); var b = Names.openClip(Weights.open(other))) {
      assertEquals(a.names().stream().sorted().toList(), b.names().stream().sorted().toList());
      for (var n : a.names()) assertArrayEquals(a.floats(n), b.floats(n), n);
    }
  }

  @Test void everyLayoutKeepsEveryValue() throws IOException {
    var from = ModelFiles.at(FIXTURES.resolve("checkpoints/hub"));
    for (var layout : Layout.values())
      for (long shard : new long[] {0, 300_000}) {
        var to = folder.resolve(layout + "-" + shard);
        new Conversion(layout, false, shard).write(from, to);
        same(from.weights(), to);
      }
    for (var name : new String[] {"hf_clip", "hf_siglip"}) {
      var to = folder.resolve(name);
      new Conversion(Layout.HF, false, 0).write(ModelFiles.at(FIXTURES.resolve("checkpoints/" + name)), to);
      same(FIXTURES.resolve("checkpoints/" + name), to);
      assertEquals(ModelFiles.at(FIXTURES.resolve("checkpoints/" + name)).config().model().vision(),
          ModelFiles.at(to).config().model().vision());
    }
  }

  @Test void halfIsF16() throws IOException {
    var to = folder.resolve("half.pt");
    new Conversion(Layout.PT, true, 0).write(ModelFiles.at(FIXTURES.resolve("checkpoints/hub")), to);
    try (var w = Weights.open(to)) {
      for (var n : w.names()) assertEquals(n.startsWith("logit_") ? Stored.F32 : Stored.F16, w.entry(n).stored(), n);
    }
  }

  /// A folder of SigLIP with a tokenizer's files beside the weights takes words; without them it says what lacks.
  @Test void tokenizerLiesBesideTheWeights() throws IOException {
    var siglip = Files.createDirectories(folder.resolve("siglip"));
    for (var f : new String[] {"model.safetensors", "config.json"})
      Files.copy(FIXTURES.resolve("checkpoints/hf_siglip/" + f), siglip.resolve(f));
    try (var clip = Clip.load(siglip)) {
      var e = org.junit.jupiter.api.Assertions.assertThrows(IllegalArgumentException.class, () -> clip.embed("a"));
      assertTrue(e.getMessage().contains("put them beside the weights"), e.getMessage());
    }
    for (var f : TokenizerFiles.NAMES)
      if (Files.exists(FIXTURES.resolve("tokenizers/bert/" + f)))
        Files.copy(FIXTURES.resolve("tokenizers/bert/" + f), siglip.resolve(f));
    try (var clip = Clip.load(siglip)) { assertEquals(64, clip.embed("")[0].length); }
  }
}
