package jacquard.tests.cli.messages;

import static jacquard.tests.cli.Launcher.fails;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jacquard.clip.Clip;
import jacquard.clip.checkpoint.safetensors.Safetensors;
import jacquard.clip.image.Images;
import jacquard.tensor.Device;
import jacquard.tensor.Scope;
import jacquard.tests.cli.Launcher;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What is said says what is missing and what would do.
class MessagesTest {
  @TempDir static Path folder;
  private static Path pictures, model;

  @BeforeAll static void prepare() throws IOException {
    pictures = Launcher.pictures(folder.resolve("pictures"), 16);
    assertEquals(0, Launcher.run(Launcher.train(folder, pictures, "good", 4)).status());
    model = folder.resolve("runs/good/last");
  }

  private static String last(String text) { return text.lines().reduce((_, b) -> b).orElse(""); }

  /// What is wrong is the last line, in few.
  @Test void wrongOptions() {
    for (var wrong : Map.of("--learning-rate", "--lr", "--learning_rate", "--lr", "--batchsize", "--batch-size",
        "--batch_size", "--batch-size", "--epoch", "--epochs", "--csv-caption", "--csv-caption-key").entrySet()) {
      var text = fails("no option " + wrong.getKey() + ". Did you mean " + wrong.getValue() + "?", "train",
          wrong.getKey(), "3");
      assertTrue(last(text).contains(wrong.getKey()) && text.lines().count() <= 3, text);
    }
    var text = fails("jacquard train --help", "train", "--epochs", "many");
    assertTrue(last(text).contains("--epochs") && text.lines().count() <= 3, text);
    assertTrue(last(fails("missing required parameter", "classify")).contains("MODEL"));
    fails("no command \"trian\"", "trian");
    fails("Did you mean train?", "trian");
  }

  @Test void helpSaysNothingOfItsLibraries() {
    for (var command : List.of("train", "eval", "embed", "classify", "models", "doctor")) {
      var e = Launcher.run(command, "--help");
      assertEquals(0, e.status());
      assertFalse(e.text().contains("WARN]") || e.text().contains("picocli"), e.text());
    }
    assertTrue(Launcher.run("train", "--help").text().replaceAll("\\s+", " ").contains("or \\t for a tab"));
  }

  /// Neither a bare path nor null: what is missing, and for weights where they come from.
  @Test void whatIsMissing() throws IOException {
    for (var command : new String[][] {{"eval"}, {"embed", "--text", "a", "--out", folder.resolve("f").toString()},
        {"classify", "p.png", "--labels", "a,b"}}) {
      var with = (java.util.function.Function<String, String[]>) name -> {
        var all = new java.util.ArrayList<>(List.of(command));
        all.add(1, name);
        return all.toArray(String[]::new);
      };
      fails("ViT-B-32 is the name of a model, not of weights", with.apply("ViT-B-32"));
      fails("its tags are openai, ", with.apply("ViT-B-32"));
      fails("laion2b_s34b_b79k is OpenCLIP's name of published weights", with.apply("laion2b_s34b_b79k"));
      fails("Give the model first, as ViT-B-32 --pretrained laion2b_s34b_b79k", with.apply("laion2b_s34b_b79k"));
      fails("is no repository, expected ORG/NAME", with.apply("hf-hub:some/thing/else"));
      fails("a repository of the hub is written hf-hub:someone/something", with.apply("someone/something"));
      fails("nosuch: no such file or folder", with.apply(folder.resolve("nosuch").toString()));
      fails("last/ lies in it: give " + folder.resolve("runs/good/last"),
          with.apply(folder.resolve("runs/good").toString()));
      fails("there are weights in " + folder.resolve("runs/"), with.apply(folder.resolve("runs").toString()));
    }
    fails("nothere.json: no such file or folder", "train", "--model", folder.resolve("nothere.json").toString());
  }

  /// Before a run begins: each is named with what was expected.
  @Test void senselessNumbersAreRefused() throws IOException {
    var wrong = new LinkedHashMap<String, String>();
    for (var option : List.of("--lr", "--wd", "--warmup", "--grad-clip-norm", "--epochs-cooldown"))
      wrong.put(option, "-1");
    for (var option : List.of("--beta1", "--beta2", "--momentum")) wrong.put(option, "1");
    wrong.put("--eps", "0");
    wrong.put("--epochs", "0");
    for (var w : wrong.entrySet()) {
      var line = new java.util.ArrayList<>(List.of(Launcher.train(folder, pictures, "senseless", 3)));
      var instead = w.getKey().equals("--epochs") ? "--steps" : w.getKey();
      int at = line.indexOf(instead);
      if (at >= 0) line.subList(at, at + 2).clear();
      line.addAll(List.of(w.getKey(), w.getValue()));
      fails(w.getKey() + " " + w.getValue(), line.toArray(String[]::new));
    }
    assertFalse(Files.exists(folder.resolve("runs/senseless")));
    var small = Files.writeString(folder.resolve("small.json"), Launcher.CONFIG.replace("49408", "300"));
    fails("text_cfg.vocab_size is 300, CLIP's tokenizer needs 49,408", "train", "--model", small.toString(),
        "--train-data", pictures.toString(), "--batch-size", "8", "--steps", "3", "--warmup", "1",
        "--logs", folder.resolve("runs").toString(), "--name", "senseless");
    fails("nosuch: no such file or folder", "train", "--pretrained", folder.resolve("nosuch").toString(),
        "--train-data", pictures.toString());
  }

  @Test void whatAFileReallyIs() throws IOException {
    var kinds = new LinkedHashMap<byte[], String>();
    kinds.put("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5\n".getBytes(StandardCharsets.UTF_8),
        "a Git LFS pointer");
    kinds.put("\n<!DOCTYPE html>\n<html><body>Sign in</body></html>".getBytes(StandardCharsets.UTF_8), "an HTML page");
    kinds.put(new byte[] {'P', 'K', 3, 4, 0, 0, 8, 8, 0, 0}, "PyTorch");
    kinds.put(new byte[] {(byte) 0x80, 2, (byte) 0x8a, 10, 0, 0, 0, 0, 0}, "a Python pickle");
    kinds.put(new byte[0], "the file is empty");
    for (var kind : kinds.entrySet()) {
      var other = Files.createDirectories(folder.resolve("kind"));
      Files.copy(model.resolve("open_clip_config.json"), other.resolve("open_clip_config.json"),
          java.nio.file.StandardCopyOption.REPLACE_EXISTING);
      Files.write(other.resolve("open_clip_model.safetensors"), kind.getKey());
      fails(kind.getValue(), "embed", other.toString(), "--text", "a", "--out", folder.resolve("f").toString());
      Files.write(other.resolve("open_clip_config.json"), kind.getKey());
      fails(kind.getValue(), "embed", other.toString(), "--text", "a", "--out", folder.resolve("f").toString());
      // a table that is empty says so itself
      if (kind.getKey().length == 0) continue;
      fails(kind.getValue(), "eval", model.toString(), "--val-data",
          Files.write(folder.resolve("kind.csv"), kind.getKey()).toString());
    }
    var cut = Files.createDirectories(folder.resolve("cut"));
    Files.copy(model.resolve("open_clip_model.safetensors"), cut.resolve("open_clip_model.safetensors"));
    Files.writeString(cut.resolve("open_clip_config.json"), "{\"model_cfg\": {");
    fails("not JSON: Unexpected end-of-input: expected close marker for Object (begun in line 1, column 15)", "embed",
        cut.toString(), "--text", "a", "--out", folder.resolve("f").toString());
    var torch = Files.createDirectories(folder.resolve("torch"));
    Files.copy(model.resolve("open_clip_config.json"), torch.resolve("open_clip_config.json"));
    Files.writeString(torch.resolve("open_clip_pytorch_model.bin"), "PK");
    fails("open_clip_pytorch_model.bin holds no weights of a format that is known", "eval", torch.toString());
  }

  @Test void weightsOfAWrappedModel() throws IOException {
    var names = new LinkedHashMap<String, Safetensors.Array>();
    try (var file = Safetensors.open(model.resolve("open_clip_model.safetensors"))) {
      for (var n : file.names()) names.put("module." + n, new Safetensors.Array(file.shape(n), file.floats(n)));
    }
    var wrapped = Files.createDirectories(folder.resolve("wrapped"));
    Files.copy(model.resolve("open_clip_config.json"), wrapped.resolve("open_clip_config.json"));
    for (var ignored : List.of("module.context_length", "module.input_resolution", "module.vocab_size",
        "module.text.transformer.embeddings.position_ids"))
      names.put(ignored, new Safetensors.Array(new int[] {1}, new long[] {1}));
    Safetensors.write(wrapped.resolve("open_clip_model.safetensors"), names, Map.of("format", "pt"));
    for (var m : List.of(model, wrapped))
      assertEquals(0, Launcher.run("embed", m.toString(), pictures.resolve("p03.png").toString(), "--text", "a",
          "--out", folder.resolve("of-" + m.getFileName()).toString()).status());
    assertTrue(Arrays.equals(Files.readAllBytes(folder.resolve("of-last.npy")),
        Files.readAllBytes(folder.resolve("of-wrapped.npy"))));
    names.put("module.surplus", new Safetensors.Array(new int[] {1}, new float[1]));
    Safetensors.write(wrapped.resolve("open_clip_model.safetensors"), names, Map.of("format", "pt"));
    fails("surplus is a tensor that the model has not", "eval", wrapped.toString());
  }

  @Test void aVocabularyThatIsTooSmall() throws IOException {
    var names = new LinkedHashMap<String, Safetensors.Array>();
    try (var file = Safetensors.open(model.resolve("open_clip_model.safetensors"))) {
      for (var n : file.names())
        names.put(n, n.equals("token_embedding.weight") ? new Safetensors.Array(new int[] {300, 8},
            Arrays.copyOf(file.floats(n), 2400)) : new Safetensors.Array(file.shape(n), file.floats(n)));
    }
    var small = Files.createDirectories(folder.resolve("small"));
    Files.writeString(small.resolve("open_clip_config.json"), Files.readString(model.resolve("open_clip_config.json"))
        .replaceFirst("49408", "300"));
    Safetensors.write(small.resolve("open_clip_model.safetensors"), names, Map.of("format", "pt"));
    fails("text_cfg.vocab_size is 300, but the tokenizer gives token 49,407", "embed", small.toString(), "--text", "a",
        "--out", folder.resolve("v").toString());
  }

  @Test void weightsThatAreNoNumbers() throws IOException {
    var names = new LinkedHashMap<String, Safetensors.Array>();
    try (var file = Safetensors.open(model.resolve("open_clip_model.safetensors"))) {
      for (var n : file.names()) {
        float[] v = file.floats(n);
        if (n.equals("visual.proj") || n.equals("text_projection")) Arrays.fill(v, Float.NaN);
        names.put(n, new Safetensors.Array(file.shape(n), v));
      }
    }
    var nan = Files.createDirectories(folder.resolve("nan"));
    Files.copy(model.resolve("open_clip_config.json"), nan.resolve("open_clip_config.json"));
    Safetensors.write(nan.resolve("open_clip_model.safetensors"), names, Map.of("format", "pt"));
    var picture = pictures.resolve("p03.png").toString();
    fails("the features of 2 inputs are not finite", "embed", nan.toString(), picture, "--text", "a", "--out",
        folder.resolve("n").toString());
    fails("probabilities are not finite", "classify", nan.toString(), picture, "--labels", "a,b");
    fails("the features of 32 of 32 pictures and names are not finite", "eval", nan.toString(), "--val-data",
        pictures.toString());
  }

  @Test void tables() throws IOException {
    var picture = pictures.resolve("p00.png");
    for (var name : List.of("T.CSV", "t.tsv", "t.txt", "t", "t.csv")) for (char c : new char[] {',', '\t', ';', '|'}) {
      var table = Files.writeString(folder.resolve(name), "filepath" + c + "title\n" + picture + c + "red\n")
          .toString();
      assertTrue(Launcher.run("eval", model.toString(), "--val-data", table).text().contains("1 image, 1 name"),
          name + " with " + c);
    }
    var tabs = Files.writeString(folder.resolve("tabs.csv"), "filepath\ttitle\n" + picture + "\ta, b\n").toString();
    for (var separator : List.of("\\t", "\t"))
      assertTrue(Launcher.run("eval", model.toString(), "--val-data", tabs, "--csv-separator", separator).text()
          .contains("1 image,"));
    fails("has no column \"filepath\"", "eval", model.toString(), "--val-data", tabs, "--csv-separator", ",");
    var surplus = Files.writeString(folder.resolve("surplus.csv"), "filepath,title\n" + picture + ",a cat, asleep\n")
        .toString();
    fails("surplus.csv row 2 has 3 fields, expected 2: quote captions that hold the separator", "eval",
        model.toString(), "--val-data", surplus);
  }

  /// Four pictures of five captions each; a column that tells pictures apart where paths do not.
  @Test void severalCaptionsAPicture() throws IOException {
    var table = new StringBuilder("filepath,title,id\n");
    for (int i = 0; i < 4; i++) for (int k = 0; k < 5; k++)
      table.append(k == 0 ? pictures.resolve("p%02d.png".formatted(i)) : pictures + "/./p%02d.png".formatted(i))
          .append(",caption ").append(k).append(" of ").append(i).append(',').append(i / 2).append('\n');
    var file = Files.writeString(folder.resolve("five.csv"), table).toString();
    var e = Launcher.run("eval", model.toString(), "--val-data", file);
    assertTrue(e.text().contains("4 images, 20 names") && e.text().matches("(?s).*text_to_image_r5 +100\\.0 %.*"),
        e.text());
    e = Launcher.run("eval", model.toString(), "--val-data", file, "--csv-group-key", "id");
    assertTrue(e.text().contains("2 images, 20 names"), e.text());
    fails("has no column \"group\"", "eval", model.toString(), "--val-data", file, "--csv-group-key", "group");
  }

  @Test void labels() throws IOException {
    var picture = pictures.resolve("p00.png").toString();
    var names = Files.writeString(folder.resolve("names.txt"), "\ufeffa cat\r\n\r\nb\u00e4r, brown\r\n").toString();
    var e = Launcher.run("classify", model.toString(), picture, "--labels", "\"cat, asleep\", dog", "--label", "x, y",
        "--labels-file", names);
    assertEquals(0, e.status(), e.text());
    for (var l : List.of("cat, asleep", "dog", "x, y", "a cat", "b\u00e4r, brown"))
      assertTrue(e.text().lines().anyMatch(t -> t.endsWith("%  " + l)), l + ": " + e.text());
    assertEquals(6, e.text().lines().count(), e.text());
    fails("no label, expected some", "classify", model.toString(), picture, "--labels", " , ");
    fails("no logit_bias", "classify", model.toString(), picture, "--labels", "a,b", "--probabilities", "sigmoid");
    fails("expected softmax or sigmoid", "classify", model.toString(), picture, "--labels", "a,b", "--probabilities",
        "none");
  }

  /// A model of the sigmoid loss: each label by itself, 1/(1 + e^−(scale·cosine + bias)); softmax where that is asked
  /// for.
  @Test void probabilitiesOfModelsWithABias() throws IOException {
    var arguments = new java.util.ArrayList<>(List.of(Launcher.train(folder, pictures, "sigmoid", 4)));
    arguments.add("--siglip");
    assertEquals(0, Launcher.run(arguments.toArray(String[]::new)).status());
    try (var clip = Clip.load(folder.resolve("runs/sigmoid/last"), Device.named("cpu"))) {
      float[][] image = clip.embed(Images.read(pictures.resolve("p00.png"))), texts = clip.embed("a", "b", "c");
      float scale, bias;
      try (var _ = Scope.open(Device.named("cpu"))) {
        scale = clip.model().scale().item();
        bias = clip.model().logitBias().item();
      }
      float[] own = clip.classify(image, texts)[0], softmax =
          clip.classify(image, texts, Clip.Probabilities.SOFTMAX)[0];
      double sum = 0;
      for (int j = 0; j < 3; j++) {
        double cosine = 0;
        for (int k = 0; k < 8; k++) cosine += (double) image[0][k] * texts[j][k];
        assertEquals(1 / (1 + Math.exp(-scale * cosine - bias)), own[j], 1e-6);
        sum += softmax[j];
      }
      assertEquals(1, sum, 1e-6);
    }
    var classify = List.of("classify", folder.resolve("runs/sigmoid/last").toString(),
        pictures.resolve("p00.png").toString(), "--label", "a");
    assertFalse(Launcher.run(classify.toArray(String[]::new)).text().contains("100.00 %"));
    var softmax = new java.util.ArrayList<>(classify);
    softmax.addAll(List.of("--probabilities", "softmax"));
    assertTrue(Launcher.run(softmax.toArray(String[]::new)).text().contains("100.00 %"));
  }

  /// What `data` counts is what could be read; a table without rows says so, and one in another encoding what would do.
  @Test void dataCountsWhatItRead() throws IOException {
    Files.writeString(folder.resolve("note.png"), "no picture");
    var table = Files.writeString(folder.resolve("unread.csv"), "filepath,title\nnote.png,a\np.png,b\n");
    var said = fails("0 of 2 pairs read and decoded", "data", table.toString());
    assertTrue(said.contains("2 samples that cannot be read"), said);
    fails("none.csv holds column names and no row", "data",
        Files.writeString(folder.resolve("none.csv"), "filepath,title\n").toString());
    fails("latin.csv is no UTF-8 text; save it as UTF-8", "data", Files.write(folder.resolve("latin.csv"),
        "filepath,title\na.png,\u00e9\n".getBytes(StandardCharsets.ISO_8859_1)).toString());
  }
}
