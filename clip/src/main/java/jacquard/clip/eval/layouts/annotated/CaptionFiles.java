package jacquard.clip.eval.layouts.annotated;

import com.fasterxml.jackson.databind.JsonNode;
import jacquard.clip.eval.layouts.Labels;
import jacquard.clip.eval.layouts.Layout;
import jacquard.clip.eval.layouts.TextFile;
import jacquard.clip.eval.sets.Benchmark;
import jacquard.clip.eval.sets.TestSet;
import jacquard.clip.eval.sets.Truth;
import jacquard.clip.image.Images;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;

/// Captions of pictures in one file beside them: Flickr's (`picture.jpg,caption` a line), COCO's JSON (`images`,
/// `annotations`), and CLIP_benchmark's for many languages (`image_paths` and `annotations`, one caption a picture).
public final class CaptionFiles implements Layout {
  private static Path file(Place place) {
    if (place.set().kind() != Benchmark.Kind.RETRIEVAL || !place.set().known()) return null;
    var split = place.split();
    var row = place.set().row().replaceFirst(".*/", "");
    var language = place.language();
    var english = language.equals("en") ? "karpathy" : language;
    return place.file(row + "-" + language + ".json", row + "_captions-" + language + ".json",
        row.replace("-", "_") + "-" + language
        + ".json", row + "_" + split + "_" + english + ".txt", "coco_" + split + "_" + english + ".json",
            "captions_" + split + ".json",
        "captions.json", "captions.txt", "captions.csv");
  }

  @Override public boolean is(Place place) { return file(place) != null; }

  @Override public TestSet read(Place place) throws IOException {
    var file = file(place);
    SequencedMap<String, List<String>> captions = file.toString().endsWith(".json") ? json(file) : table(file);
    if (captions.isEmpty()) throw new IOException(file + " holds no caption");
    var paths = new ArrayList<Path>();
    var mark = Labels.mark(file);
    for (var name : captions.keySet()) {
      var p = PictureFolder.of(place.folder(), name, file);
      paths.add(p);
      mark.add(p + " " + Files.size(p) + " " + Files.getLastModifiedTime(p));
    }
    return new TestSet(place.set(), place.folder(), paths.size(), i -> Images.read(paths.get(i)),
        new Truth.Captions(List.copyOf(captions.values())), null, mark.toString());
  }

  private static SequencedMap<String, List<String>> table(Path file) throws IOException {
    var r = new LinkedHashMap<String, List<String>>();
    int number = 0;
    for (var line : TextFile.text(file).lines().toList()) {
      number++;
      int at = line.indexOf(".jpg,");
      if (at < 0 && number == 1 || line.isBlank()) continue;                       // the head
      if (at < 0) throw new IOException(file + " line " + number + " has no picture, expected NAME.jpg,CAPTION");
      r.computeIfAbsent(line.substring(0, at + 4), _ -> new ArrayList<>()).add(line.substring(at + 5).strip());
    }
    return r;
  }

  private static SequencedMap<String, List<String>> json(Path file) throws IOException {
    JsonNode root = JsonFile.read(file);
    var r = new LinkedHashMap<String, List<String>>();
    if (root.has("image_paths")) {
      JsonNode paths = root.get("image_paths"), texts = root.path("annotations");
      if (paths.size() != texts.size())
        throw new IOException("%s has %,d image_paths and %,d annotations, expected as many".formatted(file,
            paths.size(), texts.size()));
      for (int i = 0; i < paths.size(); i++)
        r.computeIfAbsent(paths.get(i).asText(), _ -> new ArrayList<>()).add(texts.get(i).asText());
      return r;
    }
    if (!root.path("images").isArray() || !root.path("annotations").isArray())
      throw new IOException(file + " has neither image_paths nor images and annotations");
    var names = new LinkedHashMap<String, String>();
    for (var i : root.get("images")) names.put(i.path("id").asText(), i.path("file_name").asText());
    names.values().forEach(n -> r.put(n, new ArrayList<>()));
    for (var a : root.get("annotations")) {
      var name = names.get(a.path("image_id").asText());
      if (name == null) throw new IOException(file + ": a caption of the image " + a.path("image_id")
          + ", which is not among its images");
      r.get(name).add(a.path("caption").asText());
    }
    r.values().removeIf(List::isEmpty);
    return r;
  }
}
