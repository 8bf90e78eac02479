package jacquard.clip.eval.layouts;

import jacquard.clip.eval.sets.KnownClasses;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.function.IntFunction;

/// Two classes of one name have the same vector: the first always wins, and every figure is wrong.
final class EqualNames {
  private EqualNames() {}

  /// Lists that are published so pass in silence, as ImageNet's two missiles: their figures are compared as they are.
  /// Another list of a known set is told.
  ///
  /// @param of    what lists them
  /// @param place what a place in the list is called
  /// @throws IOException where two names of a set of the user's own are equal
  static void check(Layout.Place set, Path of, IntFunction<Object> place, List<String> names) throws IOException {
    var first = new HashMap<String, Integer>();
    for (int i = 0; i < names.size(); i++) {
      var before = first.putIfAbsent(names.get(i), i);
      if (before == null) continue;
      if (names.equals(set.prompts() == null ? null : set.prompts().classes()) || KnownClasses.published(names)) return;
      var what = "%s: %s and %s both name the class \"%s\"; classes of one name cannot be told apart"
          .formatted(of, place.apply(before), place.apply(i), names.get(i));
      if (!set.set().known())
        throw new IOException(what + ", and the figures would be wrong. Give each a name of its own");
      System.err.println("jacquard: " + what);
      return;
    }
  }
}
