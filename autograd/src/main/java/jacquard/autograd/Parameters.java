package jacquard.autograd;

import jacquard.tensor.Tensor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.RecordComponent;
import java.nio.file.FileSystems;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import java.util.Set;
import java.util.function.BiFunction;
import java.util.function.UnaryOperator;

/// The tensors of a tree of records, by path: component names joined by dots, list elements by number. The paths are
/// the names that checkpoints use ([Named] says where they differ from Java's). Absent (null) components are left out.
public final class Parameters {
  private final SequencedMap<String, Tensor> all;
  private final Set<String> fixed;

  private Parameters(SequencedMap<String, Tensor> all, Set<String> fixed) {
    this.all = all;
    this.fixed = fixed;
  }

  public static Parameters of(Object tree) {
    var all = new LinkedHashMap<String, Tensor>();
    var buffers = new HashSet<String>();
    walk("", tree, false, (path, t) -> {
      if (all.put(path, t) != null) throw new IllegalStateException("two tensors at " + path);
      return t;
    }, (_, r) -> r, buffers);
    return new Parameters(all, buffers);
  }

  /// The same tree with each tensor replaced by what `f` makes of its path and itself.
  @SuppressWarnings("unchecked")
  public static <T> T map(T tree, BiFunction<String, Tensor, Tensor> f) {
    return (T) walk("", tree, false, f, (_, r) -> r, new HashSet<>());
  }

  /// The same tree with each record that holds tensors replaced by what `f` makes of its path and itself, from the root
  /// down; what was replaced is not looked into.
  @SuppressWarnings("unchecked")
  public static <T> T replace(T tree, BiFunction<String, Record, Record> f) {
    return (T) walk("", tree, false, (_, t) -> t, f, new HashSet<>());
  }

  /// All tensors, buffers and frozen ones too.
  public SequencedMap<String, Tensor> all() { return Collections.unmodifiableSequencedMap(all); }

  /// Those that are trained.
  public SequencedMap<String, Tensor> trained() {
    var r = new LinkedHashMap<>(all);
    r.keySet().removeAll(fixed);
    return r;
  }

  /// Without training for the paths that match a glob: `*` within a name, `**` across dots. A glob that matches nothing
  /// is an error.
  public Parameters freeze(String... globs) {
    var f = new HashSet<>(fixed);
    for (var g : globs) {
      var matcher = FileSystems.getDefault().getPathMatcher("glob:" + g.replace('.', '/'));
      var hits = all.keySet().stream().filter(p -> matcher.matches(Path.of(p.replace('.', '/')))).toList();
      if (hits.isEmpty()) throw new IllegalArgumentException("freeze \"" + g + "\" matches none of " + all.keySet());
      f.addAll(hits);
    }
    return new Parameters(all, f);
  }

  /// The same paths, each tensor that is trained replaced by what `f` makes of it.
  public Parameters replaced(UnaryOperator<Tensor> f) {
    var r = new LinkedHashMap<>(all);
    r.replaceAll((path, t) -> fixed.contains(path) ? t : f.apply(t));
    return new Parameters(r, fixed);
  }

  /// How many numbers are trained or held, buffers aside from `trained`.
  public long count() { return trained().values().stream().mapToLong(t -> t.shape().size()).sum(); }

  private static Object walk(String path, Object node, boolean buffer, BiFunction<String, Tensor, Tensor> f,
      BiFunction<String, Record, Record> records, Set<String> buffers) {
    return switch (node) {
      case null -> null;
      case Tensor t -> {
        if (buffer) buffers.add(path);
        yield f.apply(path, t);
      }
      case List<?> l -> {
        var r = new ArrayList<Object>();
        boolean changed = false;
        for (int i = 0; i < l.size(); i++) {
          r.add(walk(join(path, Integer.toString(i)), l.get(i), buffer, f, records, buffers));
          changed |= r.get(i) != l.get(i);
        }
        yield changed ? List.copyOf(r) : l;
      }
      case Record r when holdsTensors(r) -> {
        var other = records.apply(path, r);
        yield other != r ? other : rebuilt(path, r, buffer, f, records, buffers);
      }
      default -> node;
    };
  }

  private static boolean holdsTensors(Record r) {
    for (var c : r.getClass().getRecordComponents()) {
      var t = c.getType();
      if (t == Tensor.class || List.class.isAssignableFrom(t) || Record.class.isAssignableFrom(t) || t.isInterface())
        return true;
    }
    return false;
  }

  private static Record rebuilt(String path, Record record, boolean buffer, BiFunction<String, Tensor, Tensor> f,
      BiFunction<String, Record, Record> records, Set<String> buffers) {
    RecordComponent[] parts = record.getClass().getRecordComponents();
    var types = new Class<?>[parts.length];
    var values = new Object[parts.length];
    boolean changed = false;
    try {
      for (int i = 0; i < parts.length; i++) {
        var c = parts[i];
        types[i] = c.getType();
        var accessor = c.getAccessor();
        accessor.setAccessible(true);
        var value = accessor.invoke(record);
        var name = c.isAnnotationPresent(Named.class) ? c.getAnnotation(Named.class).value() : c.getName();
        values[i] = walk(join(path, name), value, buffer || c.isAnnotationPresent(Buffer.class), f, records, buffers);
        changed |= values[i] != value;
      }
      if (!changed) return record;
      var constructor = record.getClass().getDeclaredConstructor(types);
      constructor.setAccessible(true);
      return constructor.newInstance(values);
    } catch (InvocationTargetException e) {
      throw new IllegalStateException("rebuilding " + record.getClass().getSimpleName() + " at " + path, e.getCause());
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("module " + record.getClass().getModule().getName() + " must open "
          + record.getClass().getPackageName() + " to jacquard.autograd", e);
    }
  }

  private static String join(String path, String name) {
    return path.isEmpty() ? name : name.isEmpty() ? path : path + "." + name;
  }
}
