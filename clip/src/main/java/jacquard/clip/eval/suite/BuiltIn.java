package jacquard.clip.eval.suite;

import jacquard.clip.data.source.EmojiSource;
import jacquard.clip.data.source.Source;
import jacquard.clip.eval.layouts.Fingerprint;
import jacquard.clip.eval.sets.Benchmark;
import jacquard.clip.eval.sets.Prompts;
import jacquard.clip.eval.sets.TestSet;
import jacquard.clip.eval.sets.Truth;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;

/// Sets that need no file: the emoji.
public final class BuiltIn {
  private BuiltIn() {}

  /// Whether a set is one.
  public static boolean is(Benchmark set) { return set.prompts().equals("built-in"); }

  /// A split; null where there is none.
  ///
  /// @param language of the names; another than `en` needs CLDR's in `root`, and leaves out what has no name there
  public static TestSet of(Benchmark set, String split, String language, Path root) throws IOException {
    if (language.equals("en")) return of(set, split);
    if (set.row().equals(Portraits.NAME)) throw new IllegalArgumentException(set.name() + " has names in en alone");
    if (!split.equals("test")) return null;
    var names = Cldr.names(root, language);
    var all = EmojiSource.of(set.row());
    var some = new EmojiSource(all.name() + ", " + language,
        all.drawings().stream().filter(d -> names.containsKey(d.caption().toLowerCase(Locale.ROOT))).toList(),
        all.names().stream().filter(n -> names.containsKey(n.toLowerCase(Locale.ROOT))).toList());
    if (some.size() == 0) throw new IOException("CLDR names none of the emoji in " + language);
    var r = of(set, some);
    return r.prompts(Prompts.of(some.names().stream().map(n -> names.get(n.toLowerCase(Locale.ROOT))).toList(),
        List.of("{c}")));
  }

  private static TestSet of(Benchmark set, String split) {
    if (set.row().equals(Portraits.NAME)) return split.equals("test") ? Portraits.set(set) : null;
    if (split.equals("test")) return of(set, EmojiSource.of(set.row()));
    var train = set.row().replaceFirst("-heldout.*", "");
    if (!split.equals("train") || train.equals(set.row())) return null;
    var others = among(EmojiSource.of(train), EmojiSource.of(set.row()));
    return others.size() == 0 ? null : of(set, others);
  }

  /// Drawings of the same names by other artists.
  private static EmojiSource among(EmojiSource train, EmojiSource test) {
    return new EmojiSource(train.name(), train.drawings().stream().filter(d -> test.names().contains(d.caption()))
        .toList(), test.names());
  }

  /// Pictures with a name each, or with captions each.
  public static TestSet of(Benchmark set, Source source) {
    var names = source.names();
    var number = new HashMap<String, Integer>();
    for (var n : names) number.put(n, number.size());
    var pictures = new LinkedHashMap<Object, List<String>>();
    var first = new ArrayList<Integer>();
    var mark = new Fingerprint().add(source.name());
    for (int i = 0; i < source.size(); i++) {
      if (!pictures.containsKey(source.group(i))) first.add(i);
      pictures.computeIfAbsent(source.group(i), _ -> new ArrayList<>()).add(source.caption(i));
      mark.add(source.caption(i));
    }
    var captions = List.copyOf(pictures.values());
    boolean several = captions.stream().anyMatch(c -> c.size() > 1);
    Truth truth = several ? new Truth.Captions(captions)
        : new Truth.Labels(captions.stream().mapToInt(c -> number.get(c.getFirst())).toArray(),
        new LinkedHashMap<>());
    int[] at = first.stream().mapToInt(i -> i).toArray();
    return new TestSet(set, Path.of(set.name()), at.length, i -> source.picture(at[i]), truth,
        several ? null : Prompts.of(names, List.of("{c}")), mark.toString());
  }
}
