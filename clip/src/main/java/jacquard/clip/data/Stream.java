package jacquard.clip.data;

import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.IntStream;

/// What a training reads, step by step, from wherever it lies: a pure function of the seed and the step, so that a run
/// that goes on reads what one without a stop would have read. Any thread may ask, and several at once.
public interface Stream {
  /// One rank's share of a step. The step's samples are cut into `parts` micro-batches and each of these into the
  /// ranks' pieces, so that what the ranks have of a micro-batch is together the micro-batch of a single rank. A sample
  /// that cannot be read is left out and counted; it shifts nobody.
  Batch at(long step, int rank, int ranks, int parts);

  /// The whole step.
  default Batch at(long step) { return at(step, 0, 1, 1); }

  /// Which of a step's samples are a rank's share, as [#at] cuts them.
  static IntStream share(int size, int rank, int ranks, int parts) {
    return IntStream.range(0, parts).flatMap(p -> {
      int first = size * p / parts, count = size * (p + 1) / parts - first;
      return IntStream.range(first + count * rank / ranks, first + count * (rank + 1) / ranks);
    });
  }

  /// Samples a step, of all ranks together.
  int size();

  /// The same of one step, where steps are not alike.
  default int size(long step) { return size(); }

  /// Samples before a step, of all ranks together.
  default long before(long step) { return step * size(); }

  /// What the loss of a step is multiplied by.
  default double weight(long step) { return 1; }

  /// Steps an epoch; what is left of an epoch beyond them is dropped.
  long perEpoch();

  /// What fixes the order beside the seed and [#size], by name; a checkpoint holds it, and one made with another order
  /// cannot go on.
  Map<String, String> order();

  /// Of the data, for people.
  default String name() { return "the training data"; }

  /// What is read: rows, and a hash of their captions in order. Where it changes, a run that goes on says so.
  Fingerprint fingerprint();

  /// @param rows     how many samples there are
  /// @param captions a hash of all captions in order
  record Fingerprint(long rows, long captions) {
    /// What to say where another was there before, as [#toString()] had it.
    ///
    /// @param name of the data
    public String unlike(String before, String name) {
      var same = before.startsWith(rows + " rows,");
      var m = Pattern.compile("(\\d+) rows,.*").matcher(before);
      return name + " is not what the run was trained on before: " + (same
          ? "as many pairs (%,d), but other captions, or in another order".formatted(rows)
          : "it had %s pairs, now %,d".formatted(m.matches() ? "%,d".formatted(Long.parseLong(m.group(1))) : "other",
          rows)) + ". The run goes on, with other pairs than it would have seen without the stop";
    }

    @Override public String toString() { return "%d rows, captions %016x".formatted(rows, captions); }
  }

  /// What a reader of the run's output should know of what was read so far: samples left out, captions cut.
  List<String> notes();

  /// Why the first sample that could not be read could not; empty where all could.
  String firstFailure();

  /// A stream whose samples have numbers, so that another may take them in steps of its own.
  interface Numbered extends Stream {
    /// The numbers of the samples of a rank's share, in their order; see [#at].
    long[] numbers(long step, int rank, int ranks, int parts);

    /// What they are.
    Preparation.Pairs pairs();

    /// What makes batches of them.
    Preparation preparation();

    @Override default Batch at(long step, int rank, int ranks, int parts) {
      return preparation().batch(step, numbers(step, rank, ranks, parts), pairs());
    }
  }
}
