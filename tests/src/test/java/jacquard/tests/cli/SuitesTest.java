package jacquard.tests.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import jacquard.clip.data.shards.ShardWriter;
import jacquard.clip.eval.suite.Result;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
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
    var probes = eval("--dataset", "mnist", "--task", "linear_probe", "logistic_probe", "knn",
        "elevater_probe", "--fewshot-k", "1,-1",
        "--results", results.toString());
    assertEquals(0, probes.status(), probes.text());
    assertEquals(1, json(results, "linear_probe_1-shot").get("metrics").get("fewshot_k").asInt());
    assertTrue(json(results, "logistic_probe.json").get("metrics").get("C").asDouble() > 0);
    assertTrue(json(results, "elevater_probe.json").get("metrics").get("learning_rate").asDouble() > 0);
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

  /// What is known of a face: age, gender, race, and whether that is another than white.
  private static void faces(Path set, int[][] known) throws IOException {
    Files.createDirectories(set.resolve("test"));
    var header = new StringBuilder("{'descr': '<i8', 'fortran_order': False, 'shape': (4,), }");
    while ((10 + header.length() + 1) % 64 != 0) header.append(' ');
    header.append('\n');
    try (var tar = new ByteArrayOutputStream()) {
      for (int i = 0; i < known.length; i++) {
        var npy = ByteBuffer.allocate(10 + header.length() + 32).order(ByteOrder.LITTLE_ENDIAN).put((byte) 0x93)
            .put("NUMPY".getBytes(StandardCharsets.US_ASCII)).put((byte) 1).put((byte) 0)
            .putShort((short) header.length()).put(header.toString().getBytes(StandardCharsets.US_ASCII));
        for (int v : known[i]) npy.putLong(v);
        ShardWriter.entry(tar, "s%07d.png".formatted(i),
            Files.readAllBytes(folder.resolve("pictures/p%02d.png".formatted(i))));
        ShardWriter.entry(tar, "s%07d.npy".formatted(i), npy.array());
      }
      tar.write(new byte[1024]);
      Files.write(set.resolve("test/0.tar"), tar.toByteArray());
    }
    Files.writeString(set.resolve("test/nshards.txt"), "1\n");
    var names = new StringBuilder();
    for (var asked : Map.of("race", 7, "gender", 2, "age", 9, "toxic", 19).entrySet())
      for (int c = 0; c < asked.getValue(); c++) names.append(asked.getKey()).append(":name ").append(c).append('\n');
    Files.writeString(set.resolve("classnames.txt"), names);
    Files.writeString(set.resolve("zeroshot_classification_templates.txt"),
        "race:of {c}\nrace:a {c}\ngender:a {c}\nage:{c} old\ntoxic:a {c}\n");
  }

  /// Each question has its own classes; who is right of one gender is wrong of the other; the worst group is the worst.
  @Test void questionsOfFaces() throws IOException {
    var known = new int[][] {{0, 0, 1, 0}, {3, 1, 1, 0}, {8, 0, 4, 1}, {2, 1, 0, 1}, {2, 0, 1, 0}, {5, 1, 6, 1}};
    faces(root.resolve("fairness/fairface"), known);
    for (int[] k : known) k[1] = 1 - k[1];
    faces(root.resolve("fairness/utkface"), known);
    var lines = folder.resolve("faces/eval_results.jsonl");
    var e = eval("--dataset", "fairness/fairface", "fairness/utkface", "--results",
        folder.resolve("faces").toString(), "--jsonl", lines.toString());
    assertEquals(0, e.status(), e.text());
    JsonNode a = json(folder.resolve("faces"), "fairface"), b = json(folder.resolve("faces"), "utkface");
    assertEquals(1, a.get("metrics").get("acc_gender_avg").asDouble() + b.get("metrics").get("acc_gender_avg")
        .asDouble(), 1e-12);
    assertEquals(a.get("metrics").get("acc_race_avg"), b.get("metrics").get("acc_race_avg"));
    assertEquals(2, a.get("groups").get("acc_race by race_binary").size());
    assertEquals(5, a.get("groups").get("acc_gender_x by 100 · gender + race").size());
    assertEquals(4, a.get("groups").get("toxicity_crime by race").size());
    double worst = 1;
    for (var g : a.get("groups").get("acc_gender by race_binary")) worst = Math.min(worst, g.asDouble());
    assertEquals(worst, a.get("metrics").get("acc_gender_wg").asDouble());
    // DataComp's lines: no main metric here
    var first = new ObjectMapper().readTree(Files.readAllLines(lines).getFirst());
    assertEquals("fairness/fairface FairFace", first.get("key").asText() + " " + first.get("dataset").asText());
    assertTrue(first.get("metrics").get("main_metric").isNull());
    assertEquals(a.get("metrics").get("acc_age_avg"), first.get("metrics").get("acc_age_avg"));
    Files.writeString(lines, "{\"key\": \"vtab/pets\", \"dataset\": \"Pets\", \"metrics\": {\"acc1\": 0.5, "
        + "\"main_metric\": 0.25}}\n");
    var theirs = Result.lines(lines).getFirst();
    assertEquals("vtab/pets faces 0.25", theirs.dataset() + " " + theirs.model() + " " + theirs.score());
    Files.writeString(root.resolve("fairness/fairface/zeroshot_classification_templates.txt"), "race:a {c}\n");
    var broken = eval("--dataset", "fairness/fairface", "--results", folder.resolve("faces").toString());
    assertTrue(broken.status() == 1 && broken.text().contains("no template begins with what the class name \""),
        broken.text());
  }

  /// Vectors of classes that were kept give the same figures; the mean of a file with itself is itself; of other
  /// classes they are refused.
  @Test void classifiersAreKeptAndAveraged() throws IOException {
    var file = folder.resolve("classes.safetensors").toString();
    var own = folder.resolve("own");
    for (int i = 0; i < 6; i++) {
      var to = Files.createDirectories(own.resolve("test").resolve("colour " + i % 3));
      Files.copy(folder.resolve("pictures/p%02d.png".formatted(i)), to.resolve(i + ".png"));
    }
    var set = own.toString();
    var kept = eval("--dataset", set, "--save-classifier", file, "--results", folder.resolve("c1").toString());
    assertEquals(0, kept.status(), kept.text());
    var mean = eval("--dataset", set, "--load-classifiers", file, file, "--results", folder.resolve("c2").toString());
    assertEquals(0, mean.status(), mean.text());
    assertEquals(json(folder.resolve("c1"), "zeroshot").get("metrics").get("acc1"),
        json(folder.resolve("c2"), "zeroshot").get("metrics").get("acc1"));
    var other = eval("--dataset", "mnist", "--load-classifiers", file, "--results", folder.resolve("c3").toString());
    assertTrue(other.status() == 1 && other.text().contains("expected one of [embedding, 10]"), other.text());
    assertTrue(eval("--dataset", "mnist", "flickr8k", "--save-classifier", file).text()
        .contains("are for one data set, and 2 are asked for"));
  }

  /// Emoji by CLDR's names of another language: those that it names, and no others; without its files is said what to
  /// fetch.
  @Test void emojiInOtherLanguages() throws IOException {
    var cldr = folder.resolve("cldr");
    for (var names : Map.of("en", List.of("Bicycle", "abacus", "no such emoji"), "de", List.of("Fahrrad", "Abakus",
        "nichts")).entrySet()) {
      var file = cldr.resolve("cldr-annotations-full/annotations").resolve(names.getKey())
          .resolve("annotations.json");
      Files.createDirectories(file.getParent());
      Files.writeString(file, """
          {"annotations": {"identity": {}, "annotations": {"🚲": {"default": ["x"], "tts": ["%s"]},
           "🧮": {"tts": ["%s"]}, "?": {"tts": ["%s"]}, "!": {"default": ["y"]}}}}"""
          .formatted(names.getValue().toArray()));
    }
    var e = Launcher.run("eval", model.toString(), "--dataset", "emoji-heldout", "--language", "de", "--data",
        cldr.toString(), "--cache", "none", "--results", folder.resolve("de").toString());
    assertEquals(0, e.status(), e.text());
    var found = json(folder.resolve("de"), "zeroshot_classification");
    assertEquals(2, found.get("samples").asInt());
    assertEquals("de", found.get("language").asText());
    var none = Launcher.run("eval", model.toString(), "--dataset", "emoji-heldout", "--language", "fr", "--data",
        cldr.toString(), "--cache", "none", "--results", folder.resolve("fr").toString());
    assertTrue(none.status() == 1 && none.text().contains("npm pack cldr-annotations-full; in it lies "
        + "annotations/fr/annotations.json"), none.text());
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
        .contains("1 data set is not there"));
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
