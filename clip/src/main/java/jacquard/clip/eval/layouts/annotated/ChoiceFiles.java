package jacquard.clip.eval.layouts.annotated;

import com.fasterxml.jackson.databind.JsonNode;
import jacquard.clip.eval.layouts.Labels;
import jacquard.clip.eval.layouts.Layout;
import jacquard.clip.eval.sets.Benchmark;
import jacquard.clip.eval.sets.TestSet;
import jacquard.clip.eval.sets.Truth;
import jacquard.clip.image.Images;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/// Choices among few captions and pictures: Winoground's `examples.jsonl`, SugarCrepe's `NAME.json`, ARO's
/// `visual_genome_relation.json` and its like, WinoGAViL's `winogavil.jsonl`.
public final class ChoiceFiles implements Layout {
  /// Attributes of fewer pictures say too little.
  private static final int FEWEST = 25;

  private static Path file(Place place) {
    if (place.set().kind() != Benchmark.Kind.SELECTION && place.set().kind() != Benchmark.Kind.ASSOCIATION) return null;
    var last = place.set().row().replaceFirst(".*/", "");
    return switch (place.set().row()) {
      case "winoground" -> place.file("examples.jsonl");
      case "aro/vg_relation" -> place.file("visual_genome_relation.json");
      case "aro/vg_attribution" -> place.file("visual_genome_attribution.json");
      default -> place.file(last + ".json", last + ".jsonl");
    };
  }

  @Override public boolean is(Place place) { return place.split().equals("test") && file(place) != null; }

  /// Pictures by the name that annotations give them, each once.
  private static final class Named {
    private final Place place;
    private final Path file;
    private final Map<String, Integer> numbers = new HashMap<>();
    private final List<Path> paths = new ArrayList<>();
    private final List<int[]> boxes = new ArrayList<>();

    Named(Place place, Path file) {
      this.place = place;
      this.file = file;
    }

    int of(String name) throws IOException { return of(name, null); }

    /// @param box left, top, width, height of the part that is meant; null for all
    int of(String name, int[] box) throws IOException {
      var key = name + (box == null ? "" : Arrays.toString(box));
      var there = numbers.get(key);
      if (there != null) return there;
      paths.add(PictureFolder.of(place.folder(), name, file));
      boxes.add(box);
      numbers.put(key, paths.size() - 1);
      return paths.size() - 1;
    }

    TestSet set(Truth truth) throws IOException {
      var mark = Labels.mark(file);
      for (var p : paths) mark.add(p + " " + Files.size(p) + " " + Files.getLastModifiedTime(p));
      return new TestSet(place.set(), place.folder(), paths.size(), i -> {
        var picture = Images.read(paths.get(i));
        int[] b = boxes.get(i);
        return b == null ? picture : picture.crop(b[0], b[1], b[2], b[3]);
      }, truth, null, mark.toString());
    }
  }

  @Override public TestSet read(Place place) throws IOException {
    var file = file(place);
    var named = new Named(place, file);
    var all = JsonFile.all(file);
    if (place.set().kind() == Benchmark.Kind.ASSOCIATION) return named.set(associations(all, named, file));
    var choices = new ArrayList<Truth.Choice>();
    var groups = new ArrayList<String>();
    for (var e : all) choices.add(choice(e, named, file, groups));
    return named.set(new Truth.Choices(choices, macro(place, groups)));
  }

  /// Attributes of few pictures are left out of the mean over attributes: their group has no name.
  private static List<String> macro(Place place, List<String> groups) {
    if (!place.set().row().equals("aro/vg_attribution")) return groups;
    return groups.stream().map(g -> Collections.frequency(groups, g) < FEWEST ? "" : g).toList();
  }

  private static Truth.Choice choice(JsonNode e, Named named, Path file, List<String> groups) throws IOException {
    if (e.has("caption_0")) return new Truth.Choice(new int[] {named.of(text(e, "image_0", file)),
        named.of(text(e, "image_1", file))},
        List.of(text(e, "caption_0", file), text(e, "caption_1", file)));
    if (e.has("negative_caption")) return new Truth.Choice(new int[] {named.of(text(e, "filename", file))},
        List.of(text(e, "caption", file), text(e, "negative_caption", file)));
    if (e.has("true_caption")) {
      groups.add(e.has("relation_name") ? text(e, "relation_name", file)
          : String.join(" ", e.path("attributes").valueStream()
          .map(JsonNode::asText).toList()));
      int[] box = e.has("bbox_w") ? new int[] {e.get("bbox_x").asInt(), e.get("bbox_y").asInt(),
          e.get("bbox_w").asInt(), e.get("bbox_h").asInt()}
          : null;
      return new Truth.Choice(new int[] {named.of(text(e, "image_path", file), box)},
          List.of(text(e, "true_caption", file),
          text(e, "false_caption", file)));
    }
    var captions = e.path("caption_options").valueStream().map(JsonNode::asText).toList();
    if (captions.size() < 2)
      throw new IOException(file
          + ": an entry has neither caption_0, negative_caption, true_caption nor caption_options");
    return new Truth.Choice(new int[] {named.of(text(e, "image", file))}, captions);
  }

  private static Truth associations(List<JsonNode> all, Named named, Path file) throws IOException {
    var r = new ArrayList<Truth.Association>();
    for (var e : all) {
      var cue = text(e, "cue", file);
      var candidates = e.path("candidates").valueStream().map(JsonNode::asText).toList();
      var right = e.path("associations").valueStream().map(JsonNode::asText).toList();
      if (candidates.isEmpty() || !candidates.containsAll(right) || right.isEmpty())
        throw new IOException(file + ": the associations " + right + " of " + cue + " are not among its candidates");
      var pictures = new int[candidates.size()];
      for (int i = 0; i < pictures.length; i++) pictures[i] = named.of(candidates.get(i));
      var flags = new boolean[pictures.length];
      IntStream.range(0, flags.length).forEach(i -> flags[i] = right.contains(candidates.get(i)));
      r.add(new Truth.Association("aeiou".indexOf(Character.toLowerCase(cue.charAt(0))) >= 0 ? "An " + cue : "A " + cue,
          pictures, flags));
    }
    return new Truth.Associations(r);
  }

  private static String text(JsonNode entry, String key, Path file) throws IOException {
    if (!entry.path(key).isTextual() || entry.get(key).asText().isEmpty())
      throw new IOException(file + ": an entry has no " + key);
    return entry.get(key).asText();
  }
}
