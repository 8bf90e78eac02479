package jacquard.clip.eval.protocols;

import jacquard.clip.eval.Advance;
import jacquard.clip.eval.Failures;
import jacquard.clip.eval.features.Subject;
import jacquard.clip.eval.sets.TestSet;
import java.io.IOException;
import java.util.stream.IntStream;

/// A way to measure a model on a set.
public interface Protocol {
  /// By CLIP_benchmark's name where it has one.
  String task();

  /// @param parts of the set, of which a probe reads more than one
  Measured of(Subject subject, Parts parts, Advance advance) throws IOException;

  /// Parts of a set by name; one that is not there is null.
  interface Parts {
    TestSet test();

    TestSet part(String split) throws IOException;
  }

  /// The pictures of a set that could be read.
  ///
  /// @param numbers  of those in the set
  /// @param features theirs
  record Seen(int[] numbers, float[][] features, int missing) {
    static Seen of(Subject subject, TestSet set, Advance advance) throws IOException {
      var failures = new Failures();
      float[][] all = subject.features().pictures(set, subject.embedder(), failures, advance);
      int[] there = IntStream.range(0, all.length).filter(i -> all[i] != null).toArray();
      if (there.length == 0)
        throw new IOException("none of the " + all.length + " pictures of " + set.folder() + " could be read: "
            + failures.first());
      return new Seen(there, IntStream.of(there).mapToObj(i -> all[i]).toArray(float[][]::new),
          all.length - there.length);
    }

    int[] of(int[] values) { return IntStream.of(numbers).map(i -> values[i]).toArray(); }
  }
}
