package jacquard.clip.eval.layouts;

import jacquard.clip.eval.sets.Benchmark;
import jacquard.clip.eval.sets.KnownClasses;
import jacquard.clip.eval.sets.Prompts;
import java.io.IOException;
import java.nio.file.Files;
import java.util.HashSet;
import java.util.List;

/// Class names and templates that lie in a set's folder, beside those that are known of the set.
final class OwnPrompts {
  static final String CLASSES = "classnames.txt", TEMPLATES = "zeroshot_classification_templates.txt";

  private OwnPrompts() {}

  /// Those of the folder where it has them, else the known ones; null where there are none.
  ///
  /// @throws IOException where the folder lists the known names in another order: labels are numbers in the set's
  ///   order, and every figure would be wrong; where two names of a set of the user's own are equal
  static Prompts of(Layout.Place place) throws IOException {
    var names = place.folder().resolve(CLASSES);
    var sentences = place.folder().resolve(TEMPLATES);
    if (!Files.exists(names)) return place.prompts();
    var classes = TextFile.lines(names, "name");
    if (place.prompts() != null) check(place, classes, place.prompts().classes());
    EqualNames.check(place, names, i -> "line " + (i + 1), classes);
    var templates = Files.exists(sentences) ? TextFile.lines(sentences, "template") : KnownClasses.usualTemplates();
    try {
      return place.set().kind() == Benchmark.Kind.OBJECTIVES ? Prompts.apart(classes, templates)
          : Prompts.of(classes, templates);
    }
    catch (IllegalArgumentException e) { throw new IOException(sentences + ": " + e.getMessage(), e); }
  }

  private static void check(Layout.Place place, List<String> ours, List<String> known) throws IOException {
    if (ours.equals(known) || ours.size() != known.size() || !new HashSet<>(ours).equals(new HashSet<>(known))) return;
    int i = 0;
    while (ours.get(i).equals(known.get(i))) i++;
    throw new IOException(("%s lists the classes of %s in another order: line %d is %s, expected %s. Labels are "
        + "numbers in the set's order; take the file away, or, if these labels do follow it, give the folder itself "
            + "as --dataset")
        .formatted(place.folder().resolve(CLASSES), place.set().name(), i + 1, ours.get(i), known.get(i)));
  }
}
