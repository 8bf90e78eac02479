package jacquard.clip.eval.suite;

import jacquard.clip.eval.layouts.Fingerprint;
import jacquard.clip.eval.sets.Benchmark;
import jacquard.clip.eval.sets.Prompts;
import jacquard.clip.eval.sets.TestSet;
import jacquard.clip.eval.sets.Truth;
import jacquard.clip.image.Pixels;
import jacquard.emoji.Emoji;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.function.Function;

/// The built-in audit: men and women of 23 roles in five skin tones, drawn by two families in one style each. Which
/// role it is, must not depend on gender or tone; accuracies stand by gender, by tone and by both.
final class Portraits {
  static final String NAME = "emoji-audit";

  private Portraits() {}

  static TestSet set(Benchmark set) {
    var all = Emoji.portraits();
    var roles = all.stream().map(Emoji.Portrait::role).distinct().toList();
    var groups = new LinkedHashMap<String, Truth.Grouping>();
    groups.put("gender and tone", by(all, p -> p.gender() + ", " + p.tone()));
    groups.put("gender", by(all, Emoji.Portrait::gender));
    groups.put("tone", by(all, Emoji.Portrait::tone));
    var mark = new Fingerprint();
    all.forEach(p -> mark.add(p.rgb(), p.rgb().length));
    return new TestSet(set, Path.of(NAME), all.size(),
        i -> new Pixels(Emoji.SIZE, Emoji.SIZE, all.get(i).rgb()).picture(),
        new Truth.Labels(all.stream().mapToInt(p -> roles.indexOf(p.role())).toArray(), groups),
            Prompts.of(roles, List.of("{c}")),
        mark.toString());
  }

  private static Truth.Grouping by(List<Emoji.Portrait> all, Function<Emoji.Portrait, String> what) {
    var names = all.stream().map(what).distinct().toList();
    return new Truth.Grouping(all.stream().mapToInt(p -> names.indexOf(what.apply(p))).toArray(), names);
  }
}
