package jacquard.clip.settings;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// Published settings of a training by name: `recipes.json`, options with their values.
public final class Recipes {
  /// The option that names one.
  public static final String OPTION = "--recipe";

  private Recipes() {}

  /// The arguments of a command with those of the recipe that they name, if they name one, before them. What is given
  /// stays as it is given.
  ///
  /// @throws IllegalArgumentException for an unknown name, listing the known ones
  public static String[] expanded(String... arguments) {
    var name = named(arguments);
    if (name == null) return arguments;
    var all = all();
    if (!all.has(name))
      throw new IllegalArgumentException(OPTION + " " + name + ", expected one of " + String.join(", ",
          (Iterable<String>) all::fieldNames));
    var r = new ArrayList<>(List.of(arguments[0]));
    for (var option : all.get(name).get("options").properties()) {
      if (given(option.getKey(), arguments)) continue;
      if (!option.getValue().isBoolean()) r.add(option.getKey() + "=" + option.getValue().asText());
      else if (option.getValue().asBoolean()) r.add(option.getKey());
    }
    r.addAll(Arrays.asList(arguments).subList(1, arguments.length));
    return r.toArray(String[]::new);
  }

  private static String named(String... arguments) {
    String r = null;
    for (int i = 1; i < arguments.length; i++)
      if (arguments[i].startsWith(OPTION + "=")) r = arguments[i].substring(OPTION.length() + 1);
      else if (arguments[i].equals(OPTION) && i + 1 < arguments.length) r = arguments[i + 1];
    return r;
  }

  private static boolean given(String option, String... arguments) {
    return Arrays.stream(arguments).anyMatch(a -> a.equals(option) || a.startsWith(option + "="));
  }

  /// By name: what it is, where its numbers are from, and its options.
  static JsonNode all() {
    try (var in = Recipes.class.getResourceAsStream("recipes.json")) { return new ObjectMapper().readTree(in); }
    catch (IOException e) { throw new UncheckedIOException(e); }
  }
}
