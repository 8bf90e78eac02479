package jacquard.clip.text.hub;

import java.util.List;
import java.util.Map;

/// A config's `tokenizer_kwargs`, refused where one is not known.
record Options(Map<String, ?> given) {
  Options only(String tokenizer, List<String> known) {
    for (var name : given.keySet())
      if (!known.contains(name))
        throw new IllegalArgumentException("tokenizer_kwargs: " + tokenizer + " has no option " + name + ", expected "
            + String.join(", ", known));
    return this;
  }

  String text(String name, String otherwise) { return given.get(name) instanceof Object o ? o.toString() : otherwise; }

  boolean is(String name, boolean otherwise) {
    return switch (given.get(name)) {
      case null -> otherwise;
      case Boolean b -> b;
      case Object o ->
          throw new IllegalArgumentException("tokenizer_kwargs: " + name + " is " + o + ", expected true or false");
    };
  }
}
