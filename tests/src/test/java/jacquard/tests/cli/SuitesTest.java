package jacquard.tests.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import jacquard.clip.eval.suite.Result;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Data sets and suites by name, from the command to the files of results and the page.
class SuitesTest {
  @TempDir static Path folder;
  private static Path model, root;

  /// Two folders of sets: of six classes with training pictures, and of captions.
  @BeforeAll static void prepare() throws IOException {
    var pictures = Launcher.pictures(folder.resolve("pictures"), 16);
    assertEquals(0, Launcher.run(Launcher.train(folder, pictures, "good", 4)).status());
    model = folder.resolve("runs/good/last");
    root = folder.resolve("data");
    for (var split : List.of("train", "test"))
      for (int i = 0; i < 12; i++) {
        var to = Files.createDirectories(root.resolve("mnist").resolve(split).resolve(Integer.toString(i % 10)));
        Files.copy(pictures.resolve("p%02d.png".formatted(i)), to.resolve(i + ".png"));
      }
    var images = Files.createDirectories(root.resolve("flickr8k/Images"));
    var captions = new StringBuilder("image,caption\n");
    for (int i = 0; i < 4; i++) {
      Files.copy(pictures.resolve("p%02d.png".formatted(i)), images.resolve(i + ".jpg"));
      captions.append(i).append(".jpg,colour ").append(i).append('\n').append(i).append(".jpg,again ").append(i)
          .append('\n');
    }
    Files.writeString(root.resolve("flickr8k/flickr8k_test_karpathy.txt"), captions);
  }

  private static Launcher.Ended eval(String... more) {
    var all = new ArrayList<>(List.of("eval", model.toString(), "--data", root.toString(), "--cache",
        folder.resolve("cache").toString()));
    all.addAll(List.of(more));
    return Launcher.run(all.toArray(String[]::new));
  }

  private static JsonNode json(Path results, String task) throws IOException {
    try (var all = Files.list(results)) {
      var file = all.filter(f -> f.toString().contains(task)).findFirst().orElseThrow();
      return new ObjectMapper().readTree(file.toFile());
    }
  }

  @Test void aSetIsMeasuredAndReadOnce() throws IOException {
    var results = folder.resolve("once");
    var e = eval("--dataset", "mnist", "--results", results.toString());
    assertEquals(0, e.status(), e.text());
    var found = json(results, "zeroshot_classification");
    assertEquals("mnist", found.get("dataset").asText());
    assertEquals("local", found.get("pretrained").asText());
    for (var metric : List.of("acc1", "acc5", "mean_per_class_recall", "ece"))
      assertTrue(found.get("metrics").has(metric));
    assertEquals(12, found.get("samples").asInt());
    // What lies in the cache needs no picture: these are no longer any, but as large and as old.
    try (var all = Files.walk(root.resolve("mnist/test"))) {
      for (var f : all.filter(Files::isRegularFile).toList()) {
        var time = Files.getLastModifiedTime(f);
        Files.write(f, new byte[(int) Files.size(f)]);
        Files.setLastModifiedTime(f, time);
      }
    }
    var again = eval("--dataset", "mnist", "--results", folder.resolve("twice").toString());
    assertEquals(0, again.status(), again.text());
    assertEquals(found.get("metrics"), json(folder.resolve("twice"), "zeroshot_classification").get("metrics"));
    var probes = eval("--dataset", "mnist", "--task", "linear_probe", "logistic_probe", "knn", "--fewshot-k", "1,-1",
        "--results", results.toString());
    assertEquals(0, probes.status(), probes.text());
    assertEquals(1, json(results, "linear_probe_1-shot").get("metrics").get("fewshot_k").asInt());
    assertTrue(json(results, "logistic_probe.json").get("metrics").get("C").asDouble() > 0);
    assertTrue(json(results, "knn.json").get("metrics").has("knn_acc1"));
    var page = Launcher.run("report", results.toString(), "--out", folder.resolve("page").toString(), "--beside",
        "ViT-B-32:openai");
    assertEquals(0, page.status(), page.text());
    assertTrue(page.text().contains("ViT-B-32 openai (published)")
        && page.text().contains("mnist, linear_probe_1-shot"), page.text());
    var html = Files.readString(folder.resolve("page/report.html"));
    assertTrue(html.contains("data:image/png") && !html.contains("src=\"http"), "one page, nothing fetched");
    assertTrue(Files.readString(folder.resolve("page/benchmark.csv")).startsWith("data set,metric,"));
  }

  /// The rest runs, what is missing is listed, and no mean is called by the suite's name.
  @Test void aSuiteOfWhichPartIsThere() throws IOException {
    var e = eval("--suite", "retrieval", "--results", folder.resolve("part").toString());
    assertEquals(1, e.status(), e.text());
    var metrics = json(folder.resolve("part"), "zeroshot_retrieval").get("metrics");
    assertEquals(1, metrics.get("image_retrieval_recall@5").asDouble(), "there are but four");
    assertEquals((metrics.get("image_retrieval_recall@1").asDouble() + metrics.get("text_retrieval_recall@1")
        .asDouble()) / 2,
        metrics.get("mean_recall@1").asDouble(), 1e-12);
    assertTrue(e.text().contains("2 data sets are not there") && e.text().contains("mscoco_captions: looked for"),
        e.text());
    assertTrue(e.text().contains("retrieval is not whole (1 of 3 data sets), and has no mean"), e.text());
    assertFalse(e.text().contains("retrieval: mean"), e.text());
    var skipped = eval("--dataset", "flickr8k", "--skip-existing", "--results", folder.resolve("part").toString());
    assertTrue(skipped.text().contains("(measured before)"), skipped.text());
  }

  @Test void theAuditNeedsNoFile() throws IOException {
    var e = Launcher.run("eval", model.toString(), "--dataset", "emoji-audit", "--cache", "none", "--results",
        folder.resolve("audit").toString());
    assertEquals(0, e.status(), e.text());
    var found = json(folder.resolve("audit"), "audit");
    assertEquals(460, found.get("samples").asInt());
    assertEquals(10, found.get("groups").get("acc1 by gender and tone").size());
    assertEquals(23, found.get("groups").get("cosine, man minus woman").size());
  }

  @Test void theListNeedsNoModel() {
    var e = Launcher.run("eval", "--list", "--data", root.toString());
    assertEquals(0, e.status(), e.text());
    assertTrue(e.text().contains("found: " + root.resolve("mnist"))
        && e.text().contains("not there: webdataset folder"), e.text());
    assertTrue(e.text().contains("--suite vtab+") && e.text().contains("Nothing is downloaded"), e.text());
  }

  @Test void wrongOptions() {
    assertTrue(eval("--dataset", "imagnet1k").text().contains("Did you mean imagenet1k?"));
    assertTrue(eval("--suite", "vtab++").text().contains("--suite vtab++ is none of vtab, vtab+"));
    assertTrue(eval("--dataset", "flickr8k", "--task", "knn", "--results", folder.resolve("w").toString()).text()
        .contains("has no train split"));
    assertTrue(eval("--dataset", "flickr8k", "--language", "de", "--results", folder.resolve("w").toString()).text()
        .contains("1 data sets are not there"));
    assertTrue(eval("--dataset", "mnist", "--task", "guess").text().contains("--task guess, expected auto"));
    assertTrue(Launcher.run("eval", model.toString(), "--dataset", "mnist").text().contains("--data ROOT is missing"));
    assertNotEquals(0, Launcher.run("report", root.toString()).status());
  }

  /// What is no number is null, and both ways of writing it are read.
  @Test void resultsOfOthers() throws IOException {
    var file = folder.resolve("other.json");
    Files.writeString(file, """
        {"dataset": "wds/mnist", "model": "ViT-B-32", "pretrained": "openai", "task": "zeroshot_classification",
         "metrics": {"acc1": 0.5, "acc5": NaN}, "language": "en"}""");
    var r = Result.read(file);
    assertTrue(Double.isNaN(r.metrics().get("acc5")));
    r.write(folder.resolve("rewritten"));
    var written = folder.resolve("rewritten").resolve(r.file());
    assertEquals("wds_mnist_openai_ViT-B-32_en_zeroshot_classification.json", r.file());
    assertTrue(new ObjectMapper().readTree(written.toFile()).get("metrics").get("acc5").isNull());
    assertEquals(r.metrics(), Result.read(written).metrics());
    var e = Launcher.run("report", file.toString(), "--out", folder.resolve("others").toString());
    assertTrue(e.text().contains("48.4"), "OpenCLIP's figure stands beside: " + e.text());
  }

  /// As OpenCLIP's flags: every so many epochs and at the end, by its names.
  @Test void zeroShotWhileTraining() throws IOException {
    var all = new ArrayList<>(List.of(Launcher.train(folder, folder.resolve("pictures"), "zero", 6)));
    all.addAll(List.of("--zeroshot-frequency", "2", "--zeroshot-dataset", "flickr8k", "--zeroshot-data",
        root.toString()));
    var e = Launcher.run(all.toArray(String[]::new));
    assertEquals(0, e.status(), e.text());
    var log = Files.readAllLines(folder.resolve("runs/zero/metrics.jsonl"));
    assertEquals(List.of(4, 6), log.stream().filter(l -> l.contains("flickr8k-zeroshot/mean_recall@1"))
        .map(l -> Integer.parseInt(l.replaceFirst(".*\"step\": ?(\\d+).*", "$1"))).toList());
    var missing = Launcher.run("train", "--imagenet-val", folder.resolve("nowhere").toString(), "--steps", "1",
        "--warmup", "0");
    assertTrue(missing.text().contains("--imagenet-val") && missing.text().contains("is no folder"), missing.text());
  }
}
