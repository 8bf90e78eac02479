package jacquard.clip.settings;

import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.stream.Collectors;

/// One JSON value as the type that a component has.
final class Values {
  private Values() {}

  /// @throws IllegalArgumentException naming `where`, the path, the value and what was expected
  static Object of(Type type, Object json, String where, String path) {
    if (json instanceof Settings.Text(String raw)) return of(type, parsed(type, raw), where, path);
    if (type instanceof ParameterizedType generic) return generic(generic, json, where, path);
    var c = (Class<?>) type;
    if (c == boolean.class || c == Boolean.class)
      return json instanceof Boolean ? json : fail(where, path, json, "true or false");
    if (c == int.class || c == Integer.class)
      return json instanceof Integer ? json : fail(where, path, json, "a whole number");
    if (c == long.class || c == Long.class)
      return json instanceof Integer || json instanceof Long ? (Object) ((Number) json).longValue()
          : fail(where, path, json,
          "a whole number");
    if (c == double.class || c == Double.class)
      return json instanceof Number n ? n.doubleValue() : fail(where, path, json, "a number");
    if (c == String.class) return json instanceof String ? json : fail(where, path, json, "a text");
    if (c == OptionalInt.class)
      return json == null ? OptionalInt.empty() : OptionalInt.of((int) of(int.class, json, where, path));
    if (c == OptionalDouble.class)
      return json == null ? OptionalDouble.empty() : OptionalDouble.of((double) of(double.class, json, where, path));
    if (Settings.Form.class.isAssignableFrom(c)) return form(c, json, where, path);
    if (c.isEnum()) return constant(c, json, where, path);
    throw new IllegalStateException("settings cannot hold a " + c);
  }

  private static Object generic(ParameterizedType type, Object json, String where, String path) {
    Type inner = type.getActualTypeArguments()[0];
    if (type.getRawType() == Optional.class)
      return json == null ? Optional.empty() : Optional.of(of(inner, json, where, path));
    if (type.getRawType() == Map.class) {
      if (json == null) return Map.of();
      return json instanceof Map<?, ?> map ? frozen(map) : fail(where, path, json, "a section");
    }
    if (type.getRawType() != List.class) throw new IllegalStateException("settings cannot hold a " + type);
    if (!(json instanceof List<?> list)) return fail(where, path, json, "a list");
    var values = new ArrayList<Object>();
    for (int i = 0; i < list.size(); i++) values.add(of(inner, list.get(i), where, path + "[" + i + "]"));
    return List.copyOf(values);
  }

  private static Object form(Class<?> type, Object json, String where, String path) {
    try {
      return type.getMethod("of", Object.class).invoke(null, json);
    } catch (InvocationTargetException e) {
      if (e.getCause() instanceof IllegalArgumentException bad)
        return fail(where, path, json, bad.getMessage().replaceFirst("^expected ", ""));
      throw new IllegalStateException(e.getCause());
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(type + " needs a public static of(Object)", e);
    }
  }

  private static Object constant(Class<?> type, Object json, String where, String path) {
    for (Object e : type.getEnumConstants())
      if (json instanceof String s && ((Enum<?>) e).name().equals(s.toUpperCase(Locale.ROOT))
          && s.equals(s.toLowerCase(Locale.ROOT)))
        return e;
    return fail(where, path, json, "one of " + Arrays.stream(type.getEnumConstants())
        .map(e -> ((Enum<?>) e).name().toLowerCase(Locale.ROOT)).collect(Collectors.joining(", ")));
  }

  /// A text stays as it was typed where a text is wanted; all else is JSON, or the bare word if it is none.
  private static Object parsed(Type type, String raw) {
    if (type == String.class) return raw;
    if (type instanceof ParameterizedType p && p.getRawType() == Optional.class
        && p.getActualTypeArguments()[0] == String.class)
      return raw.equals("null") ? null : raw;
    try {
      return Json.parse(raw);
    } catch (IOException notJson) {
      return raw;
    }
  }

  /// The same map with text keys.
  static Map<String, Object> object(Map<?, ?> map) {
    var object = new LinkedHashMap<String, Object>();
    map.forEach((k, v) -> object.put((String) k, v));
    return object;
  }

  /// A section's values, assignments read as JSON.
  static Map<String, Object> plain(Map<?, ?> map) { return object((Map<?, ?>) frozen(map)); }

  /// An unmodifiable copy in the same order, nested assignments read.
  private static Object frozen(Object json) {
    return switch (json) {
      case Settings.Text(String raw) -> frozen(parsed(Object.class, raw));
      case Map<?, ?> map -> {
        var copy = object(map);
        copy.replaceAll((_, v) -> frozen(v));
        yield Collections.unmodifiableMap(copy);
      }
      case List<?> list -> {
        var copy = new ArrayList<Object>();
        for (Object v : list) copy.add(frozen(v));
        yield Collections.unmodifiableList(copy);
      }
      case null, default -> json;
    };
  }

  private static Object fail(String where, String path, Object json, String expected) {
    throw new IllegalArgumentException(wrong(where, path, json, expected));
  }

  static String wrong(String where, String path, Object json, String expected) {
    if (json instanceof Settings.Text(String raw)) json = raw;
    String shown = json instanceof String s ? "\"" + s + "\"" : String.valueOf(json);
    return where + ": " + path + " is " + (shown.length() > 120 ? shown.substring(0, 120) + "…" : shown) + ", expected "
        + expected;
  }
}
