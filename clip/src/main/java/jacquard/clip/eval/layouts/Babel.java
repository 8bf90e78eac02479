package jacquard.clip.eval.layouts;

import com.fasterxml.jackson.databind.JsonNode;
import jacquard.clip.eval.layouts.annotated.JsonFile;
import jacquard.clip.eval.sets.Benchmark;
import jacquard.clip.eval.sets.Prompts;
import jacquard.clip.eval.sets.TestSet;
import jacquard.clip.eval.sets.Truth;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;

/// Babel-ImageNet: of ImageNet's pictures those whose class has a name in a language. The names and sentences are files
/// of CLIP_benchmark's beside ImageNet: `babel_imagenet.json` (language → numbers of classes, names) and
/// `nllb_dist13b_prompts.json` (language → templates).
final class Babel {
  private static final String NAMES = "babel_imagenet.json", TEMPLATES = "nllb_dist13b_prompts.json";

  private Babel() {}

  /// @throws IOException where a file is missing or has no such language
  static TestSet of(TestSet imagenet, Benchmark set, Path root, String language) throws IOException {
    var tongue = language.toUpperCase(Locale.ROOT);
    JsonNode named = read(NAMES, imagenet.folder(), root, tongue),
        templates = read(TEMPLATES, imagenet.folder(), root, tongue);
    var classes = IntStream.range(0, named.path(0).size()).map(i -> named.get(0).get(i).asInt()).toArray();
    var names = named.path(1).valueStream().map(JsonNode::asText).toList();
    if (classes.length == 0 || classes.length != names.size())
      throw new IOException("%s: %s has %d classes and %d names"
          .formatted(NAMES, tongue, classes.length, names.size()));
    var place = new LinkedHashMap<Integer, Integer>();
    for (int c : classes) place.put(c, place.size());
    int[] labels = ((Truth.Labels) imagenet.truth()).of();
    int[] kept = IntStream.range(0, labels.length).filter(i -> place.containsKey(labels[i])).toArray();
    return new TestSet(set, imagenet.folder(), kept.length, i -> imagenet.pictures().at(kept[i]),
        new Truth.Labels(IntStream.of(kept).map(i -> place.get(labels[i])).toArray(), new LinkedHashMap<>()),
        Prompts.of(names, templates.valueStream().map(JsonNode::asText).toList()),
        new Fingerprint().add(imagenet.fingerprint()).add(named.path(0).toString()).toString());
  }

  private static JsonNode read(String name, Path folder, Path root, String language) throws IOException {
    for (var f : List.of(folder.resolve(name), root.resolve(name), root.resolve("babel_imagenet").resolve(name)))
      if (Files.isRegularFile(f)) {
        var r = JsonFile.read(f).path(language);
        if (r.isMissingNode()) throw new IOException(f + " has no language " + language);
        return r;
      }
    throw new IOException("babel_imagenet needs " + name + " of CLIP_benchmark in " + folder + " or " + root);
  }
}
