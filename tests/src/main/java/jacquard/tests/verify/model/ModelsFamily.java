package jacquard.tests.verify.model;

import com.fasterxml.jackson.databind.ObjectMapper;
import jacquard.autograd.Grad;
import jacquard.clip.checkpoint.Checkpoint;
import jacquard.clip.checkpoint.safetensors.Safetensors;
import jacquard.clip.loss.ContrastiveLoss;
import jacquard.clip.model.ClipConfig;
import jacquard.clip.model.ClipModel;
import jacquard.clip.model.coca.CaptionDecoder;
import jacquard.clip.model.coca.Captioner;
import jacquard.clip.model.coca.Generation;
import jacquard.clip.model.genlip.GenLip;
import jacquard.clip.model.timm.naflex.Forced;
import jacquard.clip.model.tower.Encoding;
import jacquard.clip.model.tower.ImageBatch;
import jacquard.clip.model.tower.Patches;
import jacquard.tensor.Grid;
import jacquard.tensor.Scope;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import jacquard.tests.Conformance;
import jacquard.tests.verify.Family;
import jacquard.tests.verify.Measure;
import jacquard.tests.verify.Report;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;

/// Tiny random models: features, loss and every gradient beside what the real OpenCLIP computed.
public final class ModelsFamily implements Family {
  @Override public String name() { return "models"; }

  @Override public void verify(Path folder, Report report) throws IOException {
    try (var cases = Files.list(folder)) {
      for (var c : cases.filter(Files::isDirectory).sorted().toList()) {
        var name = "models/" + c.getFileName();
        try { verifyCase(name, c, report); } catch (IOException | RuntimeException e) { report.failed(name, e); }
      }
    }
  }

  private static void verifyCase(String name, Path c, Report report) throws IOException {
    var config = ClipConfig.read(c.resolve("config.json"));
    if (config.unsupported().isPresent()) {
      report.skipped(name, config.unsupported().get() + ": not built yet");
      return;
    }
    var meta = new ObjectMapper().readTree(c.resolve("meta.json").toFile());
    var kind = meta.get("loss").asText();
    try (var scope = Scope.open(Conformance.device()); var io = Safetensors.open(c.resolve("io.safetensors"))) {
      var model = Checkpoint.load(config, c.resolve("weights.safetensors"));
      if (model.visual() instanceof GenLip g) {
        foretelling(name, model, g, io, meta.path("gradients").asText("all").equals("some"), report);
        return;
      }
      if (io.names().contains("patches")) { anySizes(name, model, kind, io, false, report); return; }
      var images = images(io, "images");
      int[][] tokens = tokens(io, "tokens");
      // its features are recorded normalised
      boolean coca = kind.equals("coca");
      report.check(name + " image features",
          Measure.error(normalized(model.visual().features(images), coca).floats(), io.floats("image_features")), 1e-5);
      report.check(name + " text features",
          Measure.error(normalized(model.text().features(tokens), coca).floats(), io.floats("text_features")), 1e-5);
      report.check(name + " image features beside all tokens",
          Measure.error(normalized(model.visual().tokens(images).features(), coca).floats(),
          io.floats("image_features")), 1e-5);
      report.check(name + " text features beside all tokens",
          Measure.error(normalized(model.text().tokens(tokens).features(), coca).floats(), io.floats("text_features")),
          1e-5);
      if (Files.exists(c.resolve("generate.json"))) captions(name, model, images, c.resolve("generate.json"), report);
      if (coca) report.check(name + " caption logits", logitsError(model, images, tokens, io), 1e-5);
      var step = Grad.valueAndGrad(model.parameters(), () -> loss(kind, model, images, tokens));
      gradients(name, model, step, io, report);
    }
  }

  /// A ViT of OpenCLIP's own with the weights that it has as such, as a NaFlex tower.
  static void verifyForced(String name, Path c, Report report) throws IOException {
    var config = Forced.of(ClipConfig.read(c.resolve("config.json")));
    var meta = new ObjectMapper().readTree(c.resolve("meta.json").toFile());
    try (var scope = Scope.open(Conformance.device()); var io = Safetensors.open(c.resolve("io.safetensors"))) {
      var model = Checkpoint.load(config, c.resolve("weights.safetensors"));
      anySizes(name, model, meta.get("loss").asText(), io, meta.path("gradients").asText("all").equals("some"), report);
      if (!Files.exists(c.resolve("converted.safetensors"))) return;
      try (var converted = Safetensors.open(c.resolve("converted.safetensors"))) {
        var ours = Checkpoint.arrays(model, model.parameters().all());
        for (var n : converted.names())
          report.check(name + " " + n, ours.get(n) != null
              && Arrays.equals((float[]) ours.get(n).elements(), converted.floats(n)), "other elements");
      }
    }
  }

  /// Loss and every gradient.
  private static void gradients(String name, ClipModel model, Grad.Step step, Safetensors io, Report report)
      throws IOException {
    gradients(name, model, step, io, false, report);
  }

  /// @param some whether those of some parameters are recorded, not of all
  private static void gradients(String name, ClipModel model, Grad.Step step, Safetensors io, boolean some,
      Report report) throws IOException {
    double loss = io.doubles("loss")[0];
    report.check(name + " loss", Math.abs(step.value().item() - loss) / Math.abs(loss), 1e-6);
    double largest = 0;
    for (var n : io.names()) if (n.startsWith("grad.")) largest = Math.max(largest, Measure.largest(io.floats(n)));
    double worst = 0;
    String at = "";
    int count = 0;
    for (var e : step.gradients().entrySet()) {
      var n = "grad." + model.nameOf(e.getKey());
      if (some && !io.names().contains(n)) continue;
      float[] expected = io.floats(n);
      double error = Measure.difference(Checkpoint.toDisk(model, e.getKey(), e.getValue()),
          expected) / Math.max(Measure.largest(expected), 1e-3 * largest);
      if (!(error <= worst)) { worst = error; at = e.getKey(); }
      count++;
    }
    long recorded = io.names().stream().filter(n -> n.startsWith("grad.")).count();
    report.check(name + " " + count + " gradients (worst " + at + ")", count == recorded ? worst : Double.NaN, 1e-4);
  }

  /// One trunk for pictures and captions: what the pictures give alone, the logits of what comes next, and the loss.
  private static void foretelling(String name, ClipModel model, GenLip trunk, Safetensors io, boolean some,
      Report report) throws IOException {
    int[][] tokens = tokens(io, "tokens");
    var patches = patches(io);
    report.check(name + " image features",
        Measure.error(trunk.features(patches).floats(), io.floats("features")), 1e-5);
    if (io.names().contains("logits")) logits(name, trunk, patches, tokens, io, report);
    gradients(name, model, Grad.valueAndGrad(model.parameters(),
        () -> trunk.losses(patches, tokens).sum().divide(trunk.labels(tokens).sum())), io, some, report);
  }

  private static void logits(String name, GenLip trunk, Patches patches, int[][] tokens, Safetensors io, Report report)
      throws IOException {
    var next = trunk.logits(patches, tokens);
    int vocabulary = next.features().dim(1), places = io.shape("logits")[1];
    float[] found = next.features().floats(), all = io.floats("logits"), expected = new float[found.length];
    for (int b = 0; b < tokens.length; b++)
      for (int r = next.sequences().from(b); r < next.sequences().to(b); r++)
        System.arraycopy(all, (b * places + next.sequences().positions()[r]) * vocabulary, expected, r * vocabulary,
            vocabulary);
    report.check(name + " logits of " + next.sequences().rows() + " rows", Measure.error(found, expected), 1e-5);
  }

  /// Pictures of several sizes in one batch, and a batch of another size than the config's.
  private static void anySizes(String name, ClipModel model, String kind, Safetensors io, boolean some, Report report)
      throws IOException {
    int[][] tokens = tokens(io, "tokens");
    var patches = patches(io);
    boolean sigmoid = kind.equals("siglip");
    report.check(name + " image features",
        Measure.error(model.visual().features(patches).floats(), io.floats("image_features")), 1e-5);
    report.check(name + " text features",
        Measure.error(model.text().features(tokens).floats(), io.floats("text_features")), 1e-5);
    report.check(name + " dense image features",
        Measure.error(model.visual().features(images(io, "dense_images")).floats(), io.floats("dense_image_features")),
        1e-5);
    gradients(name, model, Grad.valueAndGrad(model.parameters(), () -> {
      Tensor x = model.embedImages(patches), t = model.embedTexts(tokens);
      return sigmoid ? ContrastiveLoss.sigmoid(x, t, model.scale(), model.logitBias(), null)
          : ContrastiveLoss.softmax(x, t, model.scale(), null);
    }), io, some, report);
  }

  /// Without the padding behind a picture's patches.
  static Patches patches(Safetensors io) throws IOException {
    int count = io.shape("patches")[0], most = io.shape("patches")[1], width = io.shape("patches")[2];
    float[] all = io.floats("patches");
    long[] places = io.longs("patch_coord");
    var grids = new ArrayList<Grid>();
    int at = 0;
    float[] rows = new float[all.length];
    // behind the last patch all places are (0, 0)
    for (int b = 0; b < count; b++) {
      int last = most - 1;
      while (places[(b * most + last) * 2] == 0 && places[(b * most + last) * 2 + 1] == 0) last--;
      grids.add(new Grid((int) places[(b * most + last) * 2] + 1, (int) places[(b * most + last) * 2 + 1] + 1));
      System.arraycopy(all, b * most * width, rows, at, (last + 1) * width);
      at += (last + 1) * width;
    }
    return new Patches(Tensor.of(Shape.of(at / width, width), Arrays.copyOf(rows, at)), grids);
  }

  private static Tensor normalized(Tensor features, boolean normalized) {
    return normalized ? features.normalize() : features;
  }

  /// Captions that `generate` wrote, by each kind of search: the same ids.
  private static void captions(String name, ClipModel model, ImageBatch images, Path file, Report report)
      throws IOException {
    var mapper = new ObjectMapper();
    int i = 0;
    for (var row : mapper.readTree(file.toFile())) {
      var a = row.get("arguments");
      var search = a.get("generation_type").asText().equals("beam_search")
          ? new Generation.Beams(a.path("num_beams").asInt(6)) : Generation.GREEDY;
      int length = a.get("seq_len").asInt(), pad = a.get("pad_token_id").asInt();
      var marks = new Generation.Marks(a.get("sot_token_id").asInt(), a.get("eos_token_id").asInt(), pad);
      var g = new Generation(marks, length, a.get("min_seq_len").asInt(), a.path("repetition_penalty").asDouble(1),
          search);
      int[][] expected = mapper.convertValue(row.get("ids"), int[][].class), prompts =
          a.has("text") ? mapper.convertValue(a.get("text"), int[][].class) : null;
      int[][] found = Captioner.captions(model, images, prompts, g);
      if (a.path("fixed_output_length").asBoolean()) {
        for (int b = 0; b < found.length; b++) {
          int from = found[b].length;
          found[b] = Arrays.copyOf(found[b], length);
          if (from < length) Arrays.fill(found[b], from, length, pad);
        }
      }
      report.check(name + " captions " + i++ + " " + a.get("generation_type").asText(),
          Arrays.deepEquals(expected, found),
          "expected " + Arrays.deepToString(expected) + ", found " + Arrays.deepToString(found));
    }
  }

  /// Of the rows that there are: what all are kept from looking at is none.
  private static double logitsError(ClipModel m, ImageBatch images, int[][] tokens, Safetensors io) throws IOException {
    var text = m.text().tokens(tokens);
    var logits = m.decoder().logits(m.visual().tokens(images), text);
    int length = tokens[0].length, vocabulary = logits.dim(1);
    float[] found = logits.floats(), all = io.floats("caption_logits"), expected = new float[found.length];
    for (int b = 0; b < tokens.length; b++)
      for (int r = text.sequences().from(b); r < text.sequences().to(b); r++)
        System.arraycopy(all, (b * length + text.sequences().positions()[r]) * vocabulary, expected, r * vocabulary,
            vocabulary);
    return Measure.error(found, expected);
  }

  /// Contrastive loss and twice the caption loss, as recorded.
  private static Tensor coca(ClipModel m, ImageBatch images, int[][] tokens) {
    Encoding x = m.visual().tokens(images), t = m.text().tokens(tokens);
    var captions = m.decoder().losses(x, t, tokens).sum().divide(CaptionDecoder.labels(t, tokens).sum());
    return ContrastiveLoss.softmax(x.features().normalize(), t.features().normalize(), m.scale(), null)
        .add(captions.mul(2));
  }

  public static Tensor loss(String kind, ClipModel m, ImageBatch images, int[][] tokens) {
    if (kind.equals("coca")) return coca(m, images, tokens);
    var x = m.embedImages(images);
    var t = m.embedTexts(tokens);
    return switch (kind) {
      case "softmax" -> ContrastiveLoss.softmax(x, t, m.scale(), null);
      case "siglip" -> ContrastiveLoss.sigmoid(x, t, m.scale(), m.logitBias(), null);
      default -> throw new IllegalArgumentException("loss " + kind);
    };
  }

  static ImageBatch images(Safetensors io, String name) throws IOException {
    int[] s = io.shape(name);
    return ImageBatch.ofChannelsFirst(io.floats(name), s[0], new Grid(s[2], s[3]));
  }

  public static int[][] tokens(Safetensors io, String name) throws IOException {
    int[] s = io.shape(name);
    return Measure.rows(io.longs(name), s[s.length - 1]);
  }
}
