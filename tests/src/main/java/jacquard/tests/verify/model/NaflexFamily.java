package jacquard.tests.verify.model;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import jacquard.clip.checkpoint.safetensors.Safetensors;
import jacquard.clip.data.naflex.Budget;
import jacquard.clip.data.naflex.PatchSchedule;
import jacquard.clip.image.Images;
import jacquard.clip.image.Interpolation;
import jacquard.clip.image.PatchFrame;
import jacquard.clip.image.PreprocessConfig;
import jacquard.clip.image.Transform;
import jacquard.tests.verify.Family;
import jacquard.tests.verify.Measure;
import jacquard.tests.verify.Report;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.List;

/// Pictures of any size as patches, and how many of them go into a step. The pictures lie in `images/src` beside this
/// family's folder.
public final class NaflexFamily implements Family {
  private static final PreprocessConfig HALVES = PreprocessConfig.ofSize(224)
      .normalised(PreprocessConfig.INCEPTION_MEAN, PreprocessConfig.INCEPTION_STD);

  @Override public String name() { return "naflex"; }

  @Override public void verify(Path folder, Report report) throws IOException {
    var json = new ObjectMapper().readTree(folder.resolve("naflex.json").toFile());
    try (var io = Safetensors.open(folder.resolve("naflex.safetensors"))) {
      for (var name : io.names().stream().filter(n -> n.startsWith("patches.") && n.endsWith(".patches")).toList())
        try { picture(name, folder.resolveSibling("images").resolve("src"), io, report); }
        catch (IOException | RuntimeException e) { report.failed("naflex/" + name, e); }
    }
    for (var e : json.properties())
      if (e.getKey().startsWith("schedule.")) schedule("naflex/" + e.getKey(), e.getValue(), report);
    if (Files.isDirectory(folder.resolve("forced_vit")))
      ModelsFamily.verifyForced("naflex/forced_vit", folder.resolve("forced_vit"), report);
  }

  /// `patches.FILE.ENDING.side.room[.variant].patches`
  private static void picture(String name, Path pictures, Safetensors io, Report report) throws IOException {
    var parts = List.of(name.split("\\."));
    var file = pictures.resolve(parts.get(1) + "." + parts.get(2));
    int side = Integer.parseInt(parts.get(3)), room = Integer.parseInt(parts.get(4));
    var config = switch (parts.get(5)) {
      case "bilinear" -> HALVES.resized(Interpolation.BILINEAR, HALVES.resizeMode());
      case "openai" -> HALVES.normalised(PreprocessConfig.OPENAI_MEAN, PreprocessConfig.OPENAI_STD);
      default -> HALVES;
    };
    if (!Files.exists(file)) { report.skipped("naflex/" + name, "no " + file); return; }
    var transform = new Transform(config);
    var image = transform.pixels(Images.read(file), new PatchFrame(side, room));
    float[] found = transform.patches(image, side), expected = io.floats(name);
    report.check("naflex/" + name, found.length == expected.length ? Measure.difference(found, expected) : Double.NaN,
        1e-6);
    var places = name.substring(0, name.length() - "patches".length()) + "patch_coord";
    if (!io.names().contains(places)) return;
    long[] coordinates = io.longs(places);
    boolean equal = coordinates.length / 2 == found.length / (side * side * 3);
    for (int i = 0, across = image.width() / side; equal && i < coordinates.length / 2; i++)
      equal = coordinates[2 * i] == i / across && coordinates[2 * i + 1] == i % across;
    report.check("naflex/" + places, equal, "rows and columns of " + image);
  }

  /// The lengths were drawn by another generator; given these, how many pictures each step has.
  private static void schedule(String name, JsonNode recorded, Report report) {
    var s = recorded.get("settings");
    int shares = s.path("world_size").asInt(1);
    var budget = new Budget(Budget.LENGTHS, Budget.equal(5), List.of(16), List.of(1.0),
        s.path("max_tokens_per_batch").asInt(Budget.TOKENS), s.path("batch_divisor").asInt(Budget.DIVISOR),
        s.path("per_row_text_tokens").asInt(0), s.path("train_num_tokens").asLong(0));
    long samples = Math.ceilDiv(s.path("train_num_samples").asLong(0), shares);
    Iterator<JsonNode> steps = recorded.get("canonical").iterator();
    var found = PatchSchedule.of(budget, samples, () -> steps.hasNext() ? steps.next().get(0).asInt() : 1024).steps();
    int n = recorded.get("canonical").size(), wrong = 0;
    boolean whole = recorded.get("batches").asInt() == n;
    for (int i = 0; i < n; i++)
      if (found.get(i).count() != recorded.get("canonical").get(i).get(1).asInt()) wrong++;
    report.check(name + " pictures of " + n + " steps", wrong, 0);
    if (!whole) return;
    report.check(name + " ends as recorded", found.size() == n
        && shares * found.stream().mapToLong(PatchSchedule.Step::count).sum() == recorded.get("samples").asLong(),
        found.size() + " steps");
  }
}
