package jacquard.clip.eval.sets;

import java.util.List;
import java.util.stream.IntStream;

/// The classes of a set in the order of its labels, and of each the sentences whose mean is its vector. Class order is
/// part of a set: labels are numbers in it.
///
/// @param classes   their names
/// @param templates in which each name stands; null where classes have sentences of their own, or several names
/// @param sentences of each class at least one
public record Prompts(List<String> classes, List<String> templates, List<List<String>> sentences) {
  public Prompts {
    classes = List.copyOf(classes);
    sentences = sentences.stream().map(List::copyOf).toList();
    for (int c = 0; c < classes.size(); c++)
      if (sentences.get(c).isEmpty()) throw new IllegalArgumentException("the class " + classes.get(c)
          + " has no sentence");
  }

  /// Every name in every template, at `{c}` or `{}`.
  ///
  /// @throws IllegalArgumentException naming a template without a place for the name
  public static Prompts of(List<String> classes, List<String> templates) {
    return of(classes, classes.stream().map(List::of).toList(), templates);
  }

  /// @param names of each class one or more, each of which stands in every template
  public static Prompts of(List<String> classes, List<List<String>> names, List<String> templates) {
    for (var t : templates)
      if (!t.contains("{c}") && !t.contains("{}"))
        throw new IllegalArgumentException("the template \"" + t + "\" has no {c} or {} for the name");
    boolean plain = names.stream().allMatch(n -> n.size() == 1);
    return new Prompts(classes, plain ? List.copyOf(templates) : null,
        names.stream().map(of -> of.stream().flatMap(n -> templates.stream()
        .map(t -> t.replace("{c}", n).replace("{}", n))).toList()).toList());
  }

  /// Of several questions: names and templates begin with what they ask (`race:`), and each name stands in the
  /// templates of its question.
  public static Prompts apart(List<String> classes, List<String> templates) {
    var sentences = classes.stream().map(c -> {
      int colon = c.indexOf(':') + 1;
      var asked = c.substring(0, colon);
      var own = templates.stream().filter(t -> !asked.isEmpty() && t.startsWith(asked))
          .map(t -> t.substring(asked.length())).toList();
      if (own.isEmpty())
        throw new IllegalArgumentException("no template begins with what the class name \"" + c + "\" asks, as in "
            + "\"race:a photo of a {c} person.\"");
      return of(List.of(c.substring(colon)), own).sentences().getFirst();
    }).toList();
    return new Prompts(classes, null, sentences);
  }

  public int size() { return classes.size(); }

  /// Some of the classes, in the order given.
  public Prompts only(List<Integer> some) {
    return new Prompts(some.stream().map(classes::get).toList(), templates, some.stream().map(sentences::get).toList());
  }

  /// All sentences, class by class.
  public List<String> texts() { return sentences.stream().flatMap(List::stream).toList(); }

  /// Where each class begins in [#texts], and the end.
  public int[] offsets() {
    var r = new int[size() + 1];
    IntStream.range(0, size()).forEach(c -> r[c + 1] = r[c] + sentences.get(c).size());
    return r;
  }
}
