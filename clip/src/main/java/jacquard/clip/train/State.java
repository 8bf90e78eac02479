package jacquard.clip.train;

import jacquard.clip.checkpoint.safetensors.Safetensors;
import jacquard.clip.checkpoint.Weights;
import jacquard.clip.train.ranks.Parts;
import jacquard.clip.train.task.Rows;
import jacquard.clip.train.task.Section;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.TreeMap;
import java.util.function.BinaryOperator;
import java.util.function.Function;

/// All that going on needs, in one file: named sections of tensors, and facts that the run was made with. A fact that
/// differs on going on refuses, or is said.
final class State {
  private static final String FORMAT = "jacquard run 2", STEP = "step";

  /// @param unlike (then, now) → what to say where they differ
  private record Fact(String value, boolean refused, BinaryOperator<String> unlike) {}

  private final SequencedMap<String, Section> sections = new LinkedHashMap<>();
  private final SequencedMap<String, Fact> facts = new LinkedHashMap<>();
  private final Map<String, String> notes = new TreeMap<>();
  private Function<Map<String, String>, String> unlike = _ -> null;

  State section(String name, Section section) {
    sections.put(name, section);
    return this;
  }

  /// A fact that has to be the same when the run goes on.
  State same(String name, Object value, BinaryOperator<String> unlike) {
    facts.put(name, new Fact(value.toString(), true, unlike));
    return this;
  }

  /// A fact whose change is said.
  State said(String name, Object value, BinaryOperator<String> unlike) {
    facts.put(name, new Fact(value.toString(), false, unlike));
    return this;
  }

  /// Metadata that are compared together.
  ///
  /// @param unlike what to say of a file's metadata; null where they are the same
  State noted(Map<String, String> metadata, Function<Map<String, String>, String> unlike) {
    notes.putAll(metadata);
    this.unlike = unlike;
    return this;
  }

  /// What the sections hold now, each by its own names.
  SequencedMap<String, Map<String, Safetensors.Array>> stored() {
    var r = new LinkedHashMap<String, Map<String, Safetensors.Array>>();
    sections.forEach((name, s) -> r.put(name, s.stored()));
    return r;
  }

  /// Writes the file whole or not at all.
  void save(Path file, long step, Map<String, Map<String, Safetensors.Array>> stored) throws IOException {
    Safetensors.write(file, named(stored), metadata(step));
  }

  /// The same by all ranks, each of which writes a part.
  void save(Path folder, String name, long step, Rows rows) throws IOException {
    Parts.write(folder, name, step, named(stored()), metadata(step), rows);
  }

  private static SequencedMap<String, Safetensors.Array> named(Map<String, Map<String, Safetensors.Array>> stored) {
    var r = new LinkedHashMap<String, Safetensors.Array>();
    stored.forEach((section, arrays) -> arrays.forEach((name, a) -> r.put(section + "." + name, a)));
    return r;
  }

  private Map<String, String> metadata(long step) {
    var r = new LinkedHashMap<String, String>();
    r.put("format", FORMAT);
    r.put(STEP, Long.toString(step));
    facts.forEach((name, f) -> r.put(name, f.value));
    r.putAll(notes);
    return r;
  }

  /// Brings the sections back and checks the facts.
  ///
  /// @param say told what differs and does not refuse
  /// @return how many steps the run has made
  /// @throws IOException naming the file and the fact that refuses, or what is no such file
  long restore(Path path, List<String> say) throws IOException {
    try (var file = Weights.open(path)) {
      checked(path, file.metadata());
      for (var e : facts.entrySet()) {
        var then = file.metadata().getOrDefault(e.getKey(), "");
        if (then.equals(e.getValue().value)) continue;
        var why = e.getValue().unlike.apply(then, e.getValue().value);
        if (e.getValue().refused) throw new IOException(path + " was made with " + why);
        say.add(why);
      }
      var other = unlike.apply(file.metadata());
      if (other != null) say.add(other);
      for (var e : sections.entrySet()) e.getValue().restore(file, e.getKey() + ".");
      return Long.parseLong(file.metadata().get(STEP));
    }
  }

  /// How many steps a file's run has made.
  static long step(Path path) throws IOException {
    try (var file = Weights.open(path)) {
      checked(path, file.metadata());
      return Long.parseLong(file.metadata().get(STEP));
    }
  }

  private static void checked(Path path, Map<String, String> metadata) throws IOException {
    if (FORMAT.equals(metadata.get("format")) && metadata.getOrDefault(STEP, "").matches("\\d{1,18}")) return;
    throw new IOException(path + " has the format \"" + metadata.getOrDefault("format", metadata.containsKey(STEP)
        ? "jacquard run 1" : "unknown") + "\", expected \"" + FORMAT
        + "\": another version wrote it. Begin anew from its weights, with --pretrained and the run's last/");
  }

}
