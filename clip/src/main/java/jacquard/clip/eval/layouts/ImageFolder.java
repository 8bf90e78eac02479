package jacquard.clip.eval.layouts;

import jacquard.clip.data.source.FolderSource;
import jacquard.clip.eval.sets.Benchmark;
import jacquard.clip.eval.sets.KnownClasses;
import jacquard.clip.eval.sets.Prompts;
import jacquard.clip.eval.sets.TestSet;
import jacquard.clip.image.Images;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;

/// A folder a class, in `test/` (or `val/`) or in the set's folder itself. Which class a folder is, its name says: a
/// WordNet id, ImageNet V2's number, ObjectNet's object, or the class name in any spelling of spaces and capitals. Only
/// where the names say nothing does the sorted order count, as torchvision has it.
final class ImageFolder implements Layout {
  @Override public boolean is(Place place) {
    if (place.set().kind() != Benchmark.Kind.CLASSIFICATION) return false;
    try { return folder(place) != null; } catch (IOException unreadable) { return false; }
  }

  /// The folder that holds the classes' folders; null where there is none.
  private static Path folder(Place place) throws IOException {
    for (var s : place.splits()) if (!folders(s).isEmpty()) return s;
    return place.split().equals("test") && place.splits().isEmpty() && !folders(place.folder()).isEmpty()
        ? place.folder() : null;
  }

  private static List<Path> folders(Path in) throws IOException {
    try (var all = Files.list(in)) {
      return all.filter(Files::isDirectory).filter(f -> !f.getFileName().toString().startsWith(".")).sorted().toList();
    }
  }

  @Override public TestSet read(Place place) throws IOException {
    var folders = folders(folder(place));
    var prompts = OwnPrompts.of(place);
    if (prompts == null) {
      var names = folders.stream().map(f -> spelt(f.getFileName().toString())).toList();
      EqualNames.check(place, folder(place), i -> folders.get(i).getFileName(), names);
      prompts = Prompts.of(names, KnownClasses.usualTemplates());
    }
    var label = labels(place, folders, prompts);
    var paths = new ArrayList<Path>();
    var labels = new ArrayList<Integer>();
    var mark = new Fingerprint();
    for (int f = 0; f < folders.size(); f++) for (var p : FolderSource.pictures(folders.get(f))) {
      if (label[f] < 0) continue;
      paths.add(p);
      labels.add(label[f]);
      mark.add(p + " " + Files.size(p) + " " + Files.getLastModifiedTime(p));
    }
    return Labels.set(place, labels.stream().mapToInt(i -> i).toArray(), i -> Images.read(paths.get(i)), prompts, mark);
  }

  /// The label of each folder; −1 for one that the set does not take in, as ObjectNet's objects that are no class of
  /// ImageNet.
  private static int[] labels(Place place, List<Path> folders, Prompts prompts) throws IOException {
    var known = KnownClasses.folders(place.set());
    var r = new int[folders.size()];
    var named = new HashMap<String, Integer>();
    for (int c = 0; c < prompts.size(); c++) named.put(spelt(prompts.classes().get(c)), c);
    int byId = 0, byName = 0;
    for (int f = 0; f < r.length; f++) {
      var name = folders.get(f).getFileName().toString();
      if (known.containsKey(name)) byId++;
      if (named.containsKey(spelt(name))) byName++;
    }
    boolean objects = place.set().classes().equals("objectnet");
    for (int f = 0; f < r.length; f++) {
      var name = folders.get(f).getFileName().toString();
      if (byId > 0 && (byId == r.length || objects)) r[f] = known.getOrDefault(name, -1);
      else if (byName == r.length && named.size() == prompts.size()) r[f] = named.get(spelt(name));
      else if (r.length == prompts.size() && (!place.set().known() || sorted(prompts.classes()))) r[f] = f;
      else throw new IOException(unlike(place, folders, prompts, named));
    }
    return r;
  }

  private static String unlike(Place place, List<Path> folders, Prompts prompts, HashMap<String, Integer> named) {
    var strange = folders.stream().map(f -> f.getFileName().toString()).filter(n -> !named.containsKey(spelt(n)))
        .findFirst();
    return "%s holds %,d folders for the %,d classes of %s, and %s. Name each folder after its class, as \"%s\""
        .formatted(
        place.folder(), folders.size(), prompts.size(), place.set().name(),
        strange.map(s -> "\"" + s + "\" is the name of none of them; their sorted order is not the set's")
            .orElse("not all classes have one"),
        prompts.classes().getFirst());
  }

  private static boolean sorted(List<String> classes) {
    for (int i = 1; i < classes.size(); i++) if (spelt(classes.get(i - 1)).compareTo(spelt(classes.get(i))) > 0)
      return false;
    return true;
  }

  /// Small letters, one space where anything but letters and digits stood.
  private static String spelt(String name) {
    return name.toLowerCase(Locale.ROOT).replaceAll("[^\\p{L}\\p{N}]+", " ").strip();
  }
}
