package jacquard.clip.eval.sets;

import jacquard.clip.eval.Embedder;
import java.nio.file.Path;

/// A set as it was found on disk.
///
/// @param set         what it is
/// @param folder      where it lies
/// @param size        how many pictures
/// @param pictures    by number, read anew each time
/// @param prompts     classes and sentences; null where it has none
/// @param fingerprint tells the pictures apart from others: of their places, sizes and times
public record TestSet(Benchmark set, Path folder, int size, Embedder.Pictures pictures, Truth truth, Prompts prompts,
    String fingerprint) {
  public TestSet prompts(Prompts other) {
    return new TestSet(set, folder, size, pictures, truth, other, fingerprint);
  }
}
