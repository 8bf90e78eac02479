package jacquard.clip.eval.suite;

import jacquard.clip.eval.Advance;
import jacquard.clip.eval.features.Subject;
import jacquard.clip.eval.layouts.Layouts;
import jacquard.clip.eval.protocols.Measured;
import jacquard.clip.eval.protocols.Protocol;
import jacquard.clip.eval.protocols.Protocols;
import jacquard.clip.eval.sets.Benchmark;
import jacquard.clip.eval.sets.TestSet;
import jacquard.clip.eval.sets.Truth;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// A model over sets.
///
/// @param root     where sets are looked for
/// @param language of class names and captions
/// @param output   the folder of results
/// @param again    whether what has a result is measured again
/// @param sole     whether but one set is asked for: then the root may be its folder
public record SuiteRun(Subject subject, Path root, String language, Path output, boolean again, boolean sole) {
  /// Hears what happens.
  public interface Ears {
    /// The progress of a set.
    Advance advance(String set, long inputs);

    void result(Result result, boolean before);

    /// A set that is broken, or lacks what a task needs.
    void failed(String set, Exception why);

    /// A set that is not there.
    void absent(String set, List<Path> places);
  }

  /// A set in a split; empty where it is not there.
  public Optional<TestSet> find(Benchmark set, String split) throws IOException {
    if (BuiltIn.is(set)) return Optional.ofNullable(BuiltIn.of(set, split, language, root));
    if (!set.known()) return Layouts.own(Path.of(set.name()), split);
    return root == null ? Optional.empty() : Layouts.find(root, set, split, language, sole);
  }

  /// Measures a set by protocols. The results; none where the set is not there. What fails is told, and the rest goes
  /// on.
  public List<Result> run(Benchmark set, List<Protocol> protocols, Ears ears) {
    var r = new ArrayList<Result>();
    try {
      var found = find(set, "test");
      if (found.isEmpty()) {
        ears.absent(set.name(), root == null ? List.of() : Layouts.places(root, set));
        return r;
      }
      for (var p : protocols.isEmpty() ? List.of(Protocols.usual(found.get())) : protocols) {
        try { r.add(one(found.get(), p, ears)); }
        catch (IOException | IllegalArgumentException e) { ears.failed(set.name() + ", " + p.task(), e); }
      }
    } catch (IOException | IllegalArgumentException e) { ears.failed(set.name(), e); }
    return r;
  }

  private Result one(TestSet test, Protocol protocol, Ears ears) throws IOException {
    var set = test.set();
    var none = Measured.empty(test.size(), 0);
    var file = output.resolve(result(set, protocol, none).file());
    if (!again && Files.exists(file)) {
      var before = Result.read(file);
      ears.result(before, true);
      return before;
    }
    long inputs = test.size() + texts(test);
    var measured = protocol.of(subject, new Protocol.Parts() {
      @Override public TestSet test() { return test; }

      @Override public TestSet part(String split) throws IOException { return find(set, split).orElse(null); }
    }, ears.advance(set.name() + " " + protocol.task(), inputs));
    var r = result(set, protocol, measured);
    r.write(output);
    ears.result(r, false);
    return r;
  }

  /// How many texts are embedded beside the pictures.
  private static long texts(TestSet test) {
    return switch (test.truth()) {
      case Truth.Captions c -> c.of().stream().mapToLong(List::size).sum();
      case Truth.Choices c -> c.of().stream().flatMap(o -> o.captions().stream()).distinct().count();
      case Truth.Associations a -> a.of().size();
      case Truth.Labels _, Truth.Several _, Truth.Described _ ->
          test.prompts() == null ? 0 : test.prompts().texts().size();
    };
  }

  private Result result(Benchmark set, Protocol protocol, Measured m) {
    return new Result(set.name(), subject.name(), subject.pretrained(), protocol.task(), language, m.metrics(),
        m.metrics().containsKey(set.main()) ? set.main() : null, m.samples(), m.missing(), m.intervals(), m.groups());
  }
}
