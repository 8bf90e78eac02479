package jacquard.tests.cli.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jacquard.clip.checkpoint.safetensors.Safetensors;
import jacquard.tests.cli.Launcher;
import jacquard.tests.hub.StandIn;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Trainings that begin from published weights, against a stand-in hub: the weights are those of the hub or there is no
/// training, and the run stands alone afterwards.
class HubTrainTest {
  private static final Path WORDS = Path.of("src/main/resources/fixtures/tokenizers/bert");
  private static final List<String> TOKENIZER = List.of("tokenizer.json", "tokenizer_config.json");
  private static final String CONFIG = Launcher.CONFIG.replace("49408", "1600")
      .replace("\"heads\"", "\"hf_tokenizer_name\": \"org/words\", \"heads\"");
  @TempDir static Path folder;
  private static Path pictures, own;

  /// A model with a tokenizer of its own, from a config that has the tokenizer's files beside it.
  @BeforeAll static void prepare() throws IOException {
    pictures = Launcher.pictures(folder.resolve("pictures"), 16);
    var beside = Files.createDirectories(folder.resolve("beside"));
    for (var f : TOKENIZER) Files.copy(WORDS.resolve(f), beside.resolve(f));
    var config = Files.writeString(beside.resolve("words.json"), CONFIG);
    var line = new ArrayList<>(List.of(Launcher.train(folder, pictures, "own", 2)));
    line.set(line.indexOf("--warmup") + 1, "1");
    line.set(line.indexOf("--model") + 1, config.toString());
    var e = Launcher.run(line.toArray(String[]::new));
    assertEquals(0, e.status(), e.text());
    own = folder.resolve("runs/own/last");
  }

  private static Launcher.Ended run(StandIn hub, String cache, String... arguments) throws Exception {
    var output = Files.createTempFile(folder, "said", ".txt");
    var shell = new ArrayList<>(List.of("env", "HF_ENDPOINT=" + hub.url(), "HF_HUB_CACHE=" + folder.resolve(cache),
        "HF_HUB_DOWNLOAD_TIMEOUT=2"));
    int status = Launcher.start(output, shell, arguments).waitFor();
    return new Launcher.Ended(status, Files.readString(output));
  }

  private static String[] train(String name, String... begin) {
    return Stream.concat(Stream.of("train"), Stream.concat(Stream.of(begin), Stream.of("--train-data",
        pictures.toString(), "--batch-size", "8", "--steps", "2", "--warmup", "1", "--lr", "1e-12", "--logs",
        folder.resolve("runs").toString(), "--name", name))).toArray(String[]::new);
  }

  private static void served(StandIn hub, String repository) throws IOException {
    for (var f : List.of("open_clip_config.json", "open_clip_model.safetensors"))
      hub.files.put(repository + "/" + f, Files.readAllBytes(own.resolve(f)));
    for (var f : TOKENIZER) hub.files.put("org/words/" + f, Files.readAllBytes(WORDS.resolve(f)));
  }

  /// At a learning rate of nearly nothing: the weights that it began from.
  private static void sameWeights(Path run) throws IOException {
    try (var a = Safetensors.open(own.resolve("open_clip_model.safetensors"));
        var b = Safetensors.open(run.resolve("last/open_clip_model.safetensors"))) {
      assertEquals(a.names(), b.names());
      for (var n : a.names()) assertArrayEquals(a.floats(n), b.floats(n), 1e-6f, n);
    }
  }

  @Test void aRunFromAHubModelStandsAlone() throws Exception {
    try (var hub = new StandIn()) {
      served(hub, "org/tiny");
      var e = run(hub, "cache", train("hub", "hf-hub:org/tiny", "--debug", "--cache-dir",
          folder.resolve("given").toString()));
      assertEquals(0, e.status(), e.text());
      assertTrue(e.text().contains(hub.url() + "/org/tiny/resolve/main/open_clip_config.json: 200"), e.text());
      assertTrue(Files.isDirectory(folder.resolve("given/models--org--tiny")));
    }
    var run = folder.resolve("runs/hub");
    sameWeights(run);
    for (var f : TOKENIZER) assertEquals(-1, Files.mismatch(WORDS.resolve(f), run.resolve("last").resolve(f)), f);
    // the hub and its cache are gone
    var last = run.resolve("last").toString();
    var picture = pictures.resolve("p00.png").toString();
    for (var command : List.of(List.of("classify", last, picture, "--labels", "a cat,a dog"),
        List.of("eval", last, "--val-data", pictures.toString()),
        List.of("embed", last, "--text", "a cat", "--out", folder.resolve("f").toString()),
        List.of("train", "--logs", folder.resolve("runs").toString(), "--name", "hub", "--resume", "--steps", "4"))) {
      var e = Launcher.run(command.toArray(String[]::new));
      assertEquals(0, e.status(), command + ": " + e.text());
    }
    assertEquals(4, Files.readAllLines(run.resolve("metrics.jsonl")).size());
    var other = Launcher.run("train", "--logs", folder.resolve("runs").toString(), "--name", "hub", "--resume",
        "--steps", "6", "--model", "emoji");
    assertTrue(other.status() == 1 && other.text().contains("--model emoji with --resume: the run goes on with its own"
        + " model, hf-hub:org/tiny"), other.text());
  }

  /// A published tag of a preset, here shrunk to the size of the weights that the stand-in has under its repository.
  @Test void aPublishedTag() throws Exception {
    var small = Launcher.train(folder, pictures, "small", 2);
    small[List.of(small).indexOf("--warmup") + 1] = "1";
    var shrunk = List.of("--set", "embed_dim=8", "--set", "vision_cfg.width=8", "--set", "vision_cfg.head_width=8",
        "--set", "vision_cfg.layers=1", "--set", "vision_cfg.image_size=32", "--set", "text_cfg.width=8", "--set",
        "text_cfg.heads=1", "--set", "text_cfg.layers=1");
    var begin = new ArrayList<>(List.of("--model", "ViT-B-32"));
    begin.addAll(shrunk);
    var e = Launcher.run(train("drawn", begin.toArray(String[]::new)));
    assertEquals(0, e.status(), e.text());
    own = folder.resolve("runs/drawn/last");
    begin.addAll(List.of("--pretrained", "openai", "--seed", "7"));
    try (var hub = new StandIn()) {
      hub.files.put("timm/vit_base_patch32_clip_224.openai/open_clip_model.safetensors",
          Files.readAllBytes(own.resolve("open_clip_model.safetensors")));
      e = run(hub, "tags", train("tag", begin.toArray(String[]::new)));
      assertEquals(0, e.status(), e.text());
      sameWeights(folder.resolve("runs/tag"));
      assertTrue(Files.readString(folder.resolve("runs/tag/last/open_clip_config.json"))
          .contains("\"quick_gelu\" : true"), "OpenAI's weights were trained with it");
      // a download that fails is an error, and never random weights
      hub.refusals.put("timm/vit_base_patch32_clip_224.openai", new Object[] {404, "RepoNotFound", -1, 99});
      e = run(hub, "none", train("failed", begin.toArray(String[]::new)));
      assertTrue(e.status() == 1 && e.text().contains("the hub refuses"), e.text());
      assertFalse(Files.exists(folder.resolve("runs/failed")));
    } finally { own = folder.resolve("runs/own/last"); }
    e = Launcher.run(train("wrong", "ViT-B-32", "--pretrained", "openia"));
    assertTrue(e.status() == 1 && e.text().contains("Did you mean openai?"), e.text());
    e = Launcher.run(train("wrong", "ViT-B-32", "--model", "RN50"));
    assertTrue(e.status() == 1 && e.text().contains("MODEL ViT-B-32 and --model RN50 say the same"), e.text());
    e = Launcher.run(train("wrong", "hf-hub:a/b", "--pretrained", "openai"));
    assertTrue(e.status() == 1 && e.text().contains("which has weights of its own"), e.text());
  }
}
