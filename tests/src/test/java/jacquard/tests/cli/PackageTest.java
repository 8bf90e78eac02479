package jacquard.tests.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jacquard.clip.checkpoint.ModelFiles;
import jacquard.clip.checkpoint.Weights;
import jacquard.clip.settings.Json;
import jacquard.clip.text.ClipFiles;
import jacquard.clip.text.ClipTokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A run becomes a folder for the hub, with a card that says what the run was.
class PackageTest {
  private static final Path HUB = Path.of("src/main/resources/fixtures/checkpoints/hub");

  private static Path run(Path folder) throws IOException {
    var run = Files.createDirectories(folder.resolve("cats-1"));
    for (var which : new String[] {"last", "best"}) {
      Files.createDirectories(run.resolve(which));
      for (var n : new String[] {"open_clip_config.json", "open_clip_model.safetensors"})
        Files.copy(HUB.resolve(n), run.resolve(which).resolve(n));
    }
    Files.writeString(run.resolve("metrics.jsonl"), """
        {"step":1,"loss":3.5,"held_out/top1":0.75}
        {"step":2,"loss":2.25,"held_out/top1":0.5}
        """);
    Files.writeString(run.resolve("arguments.json"), """
        {"folder": "/home/me", "arguments": ["--train-data", "cats.csv", "--steps", "2", "--logs", "/home/me/runs"]}
        """);
    return run;
  }

  @Test void aRunBecomesAFolderForTheHub(@TempDir Path folder) throws IOException {
    var run = run(folder);
    var done = Launcher.run("package", run.toString(), "--license", "cc0-1.0", "--name", "Cats | \"all\"",
        "--dataset", "me/cats", "--data-license", "my photographs (CC0-1.0)");
    assertEquals(0, done.status(), done.text());
    var to = folder.resolve("cats-1-hub");
    assertEquals(to.toString(), done.text().strip());
    var model = ModelFiles.at(to);
    assertEquals(ModelFiles.at(HUB).config(), model.config());
    try (var a = Weights.open(HUB); var b = Weights.open(to)) {
      for (var n : a.names()) assertEquals(-1, a.bytes(n).mismatch(b.bytes(n)), n);
    }
    for (var n : new String[] {"vocab.json", "merges.txt", "tokenizer_config.json", "special_tokens_map.json"})
      assertTrue(Files.size(to.resolve(n)) > 50, n);
    var card = Files.readString(to.resolve("README.md"));
    assertTrue(card.startsWith("---\ntags:\n- clip\nlibrary_name: open_clip\npipeline_tag: "
        + "zero-shot-image-classification\nlicense: \"cc0-1.0\"\ndatasets:\n- \"me/cats\"\n---\n"), card);
    for (var line : new String[] {"# Model card for Cats | \"all\"", "- **Steps:** 2",
        "- **Options of the training:** --train-data cats.csv --steps 2", "- cats.csv", "- my photographs (CC0-1.0)",
        "| top1, held out | 50.0 % |", "| training loss, last step | 2.2500 |"})
      assertTrue(card.lines().anyMatch(line::equals), line + "\n" + card);
    assertFalse(card.contains("/home/me"), card);
  }

  /// The card of the best weights says what they reached, not the last.
  @Test void theBestWeightsHaveTheirOwnFigures(@TempDir Path folder) throws IOException {
    var done = Launcher.run("package", run(folder).toString(), "--weights", "best", "--out",
        folder.resolve("out").toString());
    assertEquals(0, done.status(), done.text());
    assertTrue(done.text().contains("--license ID adds it"), done.text());
    var card = Files.readString(folder.resolve("out/README.md"));
    assertTrue(card.contains("| top1, held out | 75.0 % |") && !card.contains("license:"), card);
  }

  @Test void whatCannotBePackagedIsSaid(@TempDir Path folder) throws IOException {
    var run = run(folder);
    var none = Launcher.run("package", run.toString(), "--weights", "averages");
    assertTrue(none.status() == 1 && none.text().contains("has no weights averages"), none.text());
    var odd = Launcher.run("package", run.toString(), "--weights", "first");
    assertTrue(odd.status() == 1 && odd.text().contains("expected last, best or averages"), odd.text());
    Files.createDirectories(folder.resolve("cats-1-hub"));
    var there = Launcher.run("package", run.toString());
    assertTrue(there.status() == 1 && there.text().contains("is there already"), there.text());
  }

  /// Ids in the files are those that our tokenizer gives.
  @Test void theVocabularyIsClips() throws IOException {
    var files = ClipFiles.of(77);
    var ids = (Map<?, ?>) files.get("vocab.json");
    assertEquals(49408, ids.size());
    assertEquals(49406, ids.get("<|startoftext|>"));
    var tokenizer = ClipTokenizer.of(Map.of());
    for (var word : new String[] {"cat", "photo", "a", "!", "7", "zebra"}) {
      int[] own = tokenizer.encode(word);
      assertEquals(1, own.length, word);
      assertEquals(own[0], ids.get(word + "</w>"), word);
    }
    assertEquals(tokenizer.encode("é")[0], ids.get("Ã©</w>"));
    assertEquals("#version: 0.2", ((String) files.get("merges.txt")).lines().findFirst().orElseThrow());
    assertEquals(48895, ((String) files.get("merges.txt")).lines().count());
    assertEquals(ids.size(), Json.object(Json.text(ids), "vocab.json").size());
  }
}
