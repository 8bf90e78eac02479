package jacquard.clip.eval.layouts;

import jacquard.clip.eval.layouts.annotated.CaptionFiles;
import jacquard.clip.eval.layouts.annotated.ChoiceFiles;
import jacquard.clip.eval.layouts.binary.Cifar;
import jacquard.clip.eval.layouts.binary.CifarPickled;
import jacquard.clip.eval.layouts.binary.Idx;
import jacquard.clip.eval.layouts.binary.Stl;
import jacquard.clip.eval.sets.Benchmark;
import jacquard.clip.eval.sets.Benchmarks;
import jacquard.clip.eval.sets.KnownClasses;
import jacquard.clip.eval.sets.Prompts;
import jacquard.clip.eval.sets.TestSet;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;

/// The layouts that are read, and where sets are looked for. Nothing is fetched.
public final class Layouts {
  /// The first that fits reads.
  private static final List<Layout> ALL = List.of(new WebDataset(), new CaptionFiles(), new ChoiceFiles(), new Idx(),
      new Cifar(), new CifarPickled(), new Stl(), new ImageFolder());

  private Layouts() {}

  /// The folders in which a set is looked for, under a root: as CLIP_benchmark and DataComp name them, and by the set's
  /// own name.
  public static List<Path> places(Path root, Benchmark set) {
    var r = new LinkedHashSet<Path>();
    var last = set.row().substring(set.row().lastIndexOf('/') + 1);
    var names = new LinkedHashSet<>(List.of(set.name(), set.row(), "vtab/" + set.row(), last));
    for (var n : names) {
      var flat = n.replaceFirst("^wds/", "").replace('/', '-');
      for (var form : List.of("wds_%s_test", "wds_%s", "%s")) r.add(root.resolve(form.formatted(flat)));
      r.add(root.resolve(n));
    }
    // Several sets may share a folder: SugarCrepe's files, ARO's.
    if (set.row().contains("/")) r.add(root.resolve(set.row().substring(0, set.row().indexOf('/'))));
    if (set.row().startsWith("imagenet1k") || set.row().equals("babel_imagenet"))
      r.addAll(List.of(root.resolve("imagenet"),
        root.resolve("imagenet1k"), root.resolve("wds_imagenet1k")));
    return List.copyOf(r);
  }

  /// A split of a set; empty where none of the places holds it.
  ///
  /// @param alone whether the root itself may be the set's folder
  /// @throws IOException naming the file, where it is there and broken
  public static Optional<TestSet> find(Path root, Benchmark set, String split, String language,
      boolean alone) throws IOException {
    if (set.row().equals("babel_imagenet")) {
      var imagenet = find(root, Benchmarks.of("imagenet1k"), split, "en", alone);
      return imagenet.isEmpty() ? imagenet : Optional.of(Babel.of(imagenet.get(), set, root, language));
    }
    Prompts prompts = KnownClasses.of(set, language);
    var places = new LinkedHashSet<>(places(root, set));
    if (alone) places.add(root);
    for (var folder : places) {
      if (!Files.isDirectory(folder)) continue;
      var place = new Layout.Place(set, folder, split, language, prompts);
      for (var l : ALL) if (l.is(place)) return Optional.of(l.read(place));
    }
    return Optional.empty();
  }

  /// A set of the user's own.
  ///
  /// @throws IOException where the folder is of no layout
  public static Optional<TestSet> own(Path folder, String split) throws IOException {
    if (!Files.isDirectory(folder)) throw new IOException(folder + " is no folder");
    var place = new Layout.Place(Benchmark.own(folder.toString()), folder, split, "en", null);
    for (var l : ALL) if (l.is(place)) return Optional.of(l.read(place));
    if (!split.equals("test")) return Optional.empty();
    throw new IOException(folder
        + " is of no layout that is known: expected test/nshards.txt with tars, or a folder of "
        + "pictures a class (perhaps in test/), and " + OwnPrompts.CLASSES + " with a name a line");
  }
}
