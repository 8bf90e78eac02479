package jacquard.clip.settings;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;

/// Records as settings. A component `headWidth` has the key `head_width`; its default is that of a given record of the
/// same class; a component that is a record itself is a section, or lies in its owner's section if [Flat].
///
/// Types of components: `boolean`, `int`, `long`, `double`, `String`, enums (lower case), [Optional], [OptionalInt] and
/// [OptionalDouble] (JSON `null` is empty), `List` of these, `Map<String, Object>` (kept as it is), records, and
/// [Form].
public final class Settings {
  private Settings() {}

  /// The key of a component where it is not its name in snake case.
  @Retention(RetentionPolicy.RUNTIME) @Target(ElementType.RECORD_COMPONENT)
  public @interface Key { String value(); }

  /// The keys of this record lie in the section of its owner, each behind the prefix.
  @Retention(RetentionPolicy.RUNTIME) @Target(ElementType.RECORD_COMPONENT)
  public @interface Flat { String prefix() default ""; }

  /// Written even where it equals the default, unless the record is [Terse].
  @Retention(RetentionPolicy.RUNTIME) @Target(ElementType.RECORD_COMPONENT)
  public @interface Stated {}

  /// A value with a JSON form of its own; the class has a `static of(Object json)` that throws
  /// `IllegalArgumentException("expected …")`.
  public interface Form { Object json(); }

  /// A record that may ask for nothing but what differs from the defaults to be written.
  public interface Terse { boolean terse(); }

  /// A section of several kinds, a sealed interface that has a `static defaults(Map<String, ?> json)`: the defaults of
  /// the kind that the section's plain values describe.
  public interface Kinds {
    /// The defaults of this kind.
    Record defaults();

    /// Keys that would make the section another kind; named where a key is unknown.
    List<String> elsewhere();
  }

  /// @throws IllegalArgumentException if the value is smaller
  public static void atLeast(String key, int value, int least) {
    if (value < least) throw new IllegalArgumentException(key + " is " + value + ", expected at least " + least);
  }

  /// @throws IllegalArgumentException if a block's hidden channels are no sound multiple of its width
  public static void mlpRatio(double value) {
    if (!(value > 0 && value < 1000))
      throw new IllegalArgumentException("mlp_ratio is " + value + ", expected a positive ratio");
  }

  /// An assignment's right side: read as the component's type asks.
  record Text(String raw) {}

  /// The record that `json` describes; what it leaves out is as in `defaults`. `where` opens every error, the file's
  /// name as a rule.
  public static <R extends Record> R read(R defaults, Map<String, ?> json, String where) {
    return read(defaults, json, where, "");
  }

  /// The record as JSON: what differs from `defaults` and what is [Stated].
  public static <R extends Record> Map<String, Object> write(R value, R defaults) {
    var json = new LinkedHashMap<String, Object>();
    write(value, defaults, "", json);
    return json;
  }

  /// The record with `path=value` assignments applied, in order, all before anything is checked:
  /// `with(config, DEFAULTS, "vision_cfg.width=128")`.
  public static <R extends Record> R with(R value, R defaults, List<String> assignments) {
    Map<String, Object> json = write(value, defaults);
    for (String assignment : assignments) {
      int equals = assignment.indexOf('=');
      if (equals < 1)
        throw new IllegalArgumentException("override \"" + assignment
            + "\": expected path=value, as vision_cfg.width=128");
      assign(json, assignment.substring(0, equals).strip(), assignment.substring(equals + 1).strip());
    }
    return read(defaults, json, "override");
  }

  /// The keys that a section of this class knows, in the order of its components.
  public static List<String> keys(Class<? extends Record> type) {
    var keys = new ArrayList<String>();
    keys(type, "", keys);
    return keys;
  }

  private static void keys(Class<?> type, String prefix, List<String> keys) {
    for (var o : options(type)) {
      if (o.flat) keys(o.component.getType(), prefix + o.key, keys);
      else keys.add(prefix + o.key);
    }
  }

  /// A component; `key` is the prefix of its keys where it is flat.
  private record Option(RecordComponent component, Method accessor, String key, boolean flat, boolean stated) {
    static Option of(RecordComponent c) {
      var flat = c.getAnnotation(Flat.class);
      var named = c.getAnnotation(Key.class);
      String key = flat != null ? flat.prefix() : named != null ? named.value() : c.getName().replaceAll("([A-Z])",
          "_$1").toLowerCase(Locale.ROOT);
      return new Option(c, c.getAccessor(), key, flat != null, c.isAnnotationPresent(Stated.class));
    }

    Object in(Record of) {
      try {
        return accessor.invoke(of);
      } catch (ReflectiveOperationException e) {
        throw new IllegalStateException("settings need a public record: " + of.getClass(), e);
      }
    }
  }

  /// Reflection is slow: 181 presets took 3.6 s without this.
  private static final ClassValue<List<Option>> OPTIONS = new ClassValue<>() {
    @Override protected List<Option> computeValue(Class<?> type) {
      return Arrays.stream(type.getRecordComponents()).map(Option::of).toList();
    }
  };

  private static final ClassValue<Constructor<?>> CONSTRUCTORS = new ClassValue<>() {
    @Override protected Constructor<?> computeValue(Class<?> type) {
      try {
        return type.getConstructor(Arrays.stream(type.getRecordComponents()).map(RecordComponent::getType)
            .toArray(Class<?>[]::new));
      } catch (NoSuchMethodException e) {
        throw new IllegalStateException("settings need a public record: " + type, e);
      }
    }
  };

  private static List<Option> options(Class<?> type) { return OPTIONS.get(type); }

  private static <R extends Record> R read(R defaults, Map<String, ?> json, String where, String section) {
    var known = keys(defaults.getClass());
    for (String key : json.keySet()) if (!known.contains(key)) {
      if (defaults instanceof Kinds k) known.addAll(k.elsewhere());
      throw new IllegalArgumentException(unknown(key, known, where, section));
    }
    return build(defaults, json, where, section, "");
  }

  private static String unknown(String key, List<String> known, String where, String section) {
    String near = Nearest.of(key, known).map(n -> " Did you mean " + n + "?").orElse("");
    return where + ": unknown key " + section + key + "." + near + " Known"
        + (section.isEmpty() ? "" : " in " + section.replaceAll("\\.$",
        ""))
        + ": " + String.join(", ", known);
  }

  private static <R
      extends Record> R build(R defaults, Map<String, ?> json, String where, String section, String prefix) {
    List<Option> options = options(defaults.getClass());
    Object[] values = new Object[options.size()];
    for (int i = 0; i < values.length; i++) {
      var o = options.get(i);
      Object standard = o.in(defaults);
      String key = prefix + o.key;
      if (o.flat) values[i] = build((Record) standard, json, where, section, key);
      else if (!json.containsKey(key)) values[i] = standard;
      else values[i] = component(o.component.getGenericType(), standard, json.get(key), where, section + key);
    }
    try {
      @SuppressWarnings("unchecked") R made = (R) CONSTRUCTORS.get(defaults.getClass()).newInstance(values);
      return made;
    } catch (InvocationTargetException e) {
      if (e.getCause() instanceof IllegalArgumentException bad)
        throw new IllegalArgumentException(where + ": " + section + bad.getMessage(), bad);
      throw new IllegalStateException(e.getCause());
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("settings need a public record with public components: " + defaults.getClass(),
          e);
    }
  }

  private static Object component(Type type, Object standard, Object json, String where, String path) {
    if (standard instanceof Record section && !(standard instanceof Form)) {
      if (json == null) return section;
      if (json instanceof Map<?, ?> map) return read(kind(type, section, map), Values.object(map), where, path + ".");
      throw new IllegalArgumentException(Values.wrong(where, path, json,
          "a section: " + String.join(", ", keys(section.getClass()))));
    }
    return Values.of(type, json, where, path);
  }

  /// The defaults of the kind that a section's values describe, where its type has several.
  private static Record kind(Type type, Record standard, Map<?, ?> json) {
    if (!(type instanceof Class<?> c && c.isInterface())) return standard;
    try {
      return (Record) c.getMethod("defaults", Map.class).invoke(null, Values.plain(json));
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(type + " needs a public static defaults(Map)", e);
    }
  }

  private static void write(Record value, Record defaults, String prefix, Map<String, Object> json) {
    boolean terse = value instanceof Terse t && t.terse();
    for (var o : options(value.getClass())) {
      Object mine = o.in(value), standard = o.in(defaults);
      String key = prefix + o.key;
      if (o.flat) write((Record) mine, (Record) standard, key, json);
      else if (o.stated && !terse || !Objects.equals(mine, standard)) json.put(key, json(mine, standard));
    }
  }

  private static Object json(Object value, Object standard) {
    return switch (value) {
      case Form form -> form.json();
      case Record record -> {
        var section = new LinkedHashMap<String, Object>();
        write(record, record instanceof Kinds k ? k.defaults() : (Record) standard, "", section);
        yield section;
      }
      case Enum<?> e -> e.name().toLowerCase(Locale.ROOT);
      case Optional<?> o -> o.map(v -> json(v, null)).orElse(null);
      case OptionalInt o -> o.isPresent() ? (Object) o.getAsInt() : null;
      case OptionalDouble o -> o.isPresent() ? (Object) o.getAsDouble() : null;
      case List<?> list -> list.stream().map(v -> json(v, null)).toList();
      default -> value;
    };
  }

  private static void assign(Map<String, Object> json, String path, String raw) {
    int dot = path.indexOf('.');
    if (dot < 0) {
      json.put(path, new Text(raw));
      return;
    }
    String head = path.substring(0, dot);
    Object section = json.get(head);
    if (section != null && !(section instanceof Map<?, ?>))
      throw new IllegalArgumentException("override " + path + "=" + raw + ": " + head + " is " + section
          + ", not a section");
    var inner = new LinkedHashMap<String, Object>();
    if (section instanceof Map<?, ?> map) inner.putAll(Values.object(map));
    assign(inner, path.substring(dot + 1), raw);
    json.put(head, inner);
  }
}
