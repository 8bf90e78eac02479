package jacquard.clip.eval;

import jacquard.clip.settings.Nearest;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/// Sentences around a label, `{}` in its place. A label's features are the mean of those of its sentences, normalised
/// again: as OpenCLIP ensembles them.
///
/// @param texts each with `{}`, at least one
public record Templates(List<String> texts) {
  /// The label itself.
  public static final Templates NONE = new Templates(List.of("{}"));
  /// The named sets: the 80 that CLIP's authors chose for ImageNet, and the 7 best of them; as OpenCLIP lists them.
  public static final List<String> SETS = List.of("openai_imagenet", "simple_imagenet");

  public Templates {
    if (texts.isEmpty()) throw new IllegalArgumentException("no template, expected at least one text with {}");
    for (var t : texts)
      if (!t.contains("{}"))
        throw new IllegalArgumentException("template \"" + t + "\" has no {} for the label, and is none of the sets "
            + String.join(", ", SETS) + Nearest.of(t, SETS).map(n -> ". Did you mean " + n + "?").orElse(""));
    texts = List.copyOf(texts);
  }

  /// Texts with `{}` and names of [#SETS], together.
  public static Templates of(List<String> textsOrSets) {
    var all = new ArrayList<String>();
    for (var t : textsOrSets) {
      if (SETS.contains(t)) all.addAll(set(t));
      else all.add(t);
    }
    return new Templates(all);
  }

  /// The label in every template.
  public List<String> of(String label) { return texts.stream().map(t -> t.replace("{}", label)).toList(); }

  private static List<String> set(String name) {
    try (var in = Templates.class.getResourceAsStream(name + ".txt")) {
      if (in == null) throw new IllegalStateException("the jar lacks the templates " + name);
      return new String(in.readAllBytes(), StandardCharsets.UTF_8).lines().toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
