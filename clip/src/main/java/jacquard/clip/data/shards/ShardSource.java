package jacquard.clip.data.shards;

import jacquard.clip.data.Preparation;
import jacquard.clip.data.source.Source;
import jacquard.clip.image.Picture;
import jacquard.clip.settings.Count;
import jacquard.tensor.Random;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/// The pairs of [Shards] by number, with all captions in memory, for what looks at every pair: an evaluation. Pairs
/// whose caption cannot be read are left out.
///
/// @param numbers of each pair its number in the shards
public record ShardSource(Shards shards, long[] numbers, List<String> captions, List<String> notes) implements Source {
  private static final Random FIRST = Random.of(0);

  /// @param most how many pairs at most, evenly spread over all
  public static ShardSource read(Shards shards, int most) throws IOException {
    int n = (int) Math.min(shards.size(), most);
    var captions = new ArrayList<String>();
    var numbers = new long[n];
    int kept = 0, lost = 0;
    for (int i = 0; i < n; i++) {
      long number = shards.size() / n * i + shards.size() % n * i / n;
      try {
        captions.add(shards.caption(number, FIRST.fold(number)));
        numbers[kept++] = number;
      } catch (Preparation.LeftOut e) { lost++; }
    }
    if (kept == 0) throw new IOException(shards.name() + " holds no caption that can be read");
    var notes = new ArrayList<>(shards.notes());
    if (lost > 0) notes.add(Count.of(lost, "caption") + " of " + shards.name() + " could not be read and "
        + (lost == 1 ? "is" : "are") + " left out");
    return new ShardSource(shards, Arrays.copyOf(numbers, kept), List.copyOf(captions), List.copyOf(notes));
  }

  @Override public String name() { return shards.name(); }
  @Override public int size() { return captions.size(); }
  @Override public String caption(int index) { return captions.get(index); }
  @Override public Optional<byte[]> file(int index) throws IOException {
    return Optional.of(shards.file(numbers[index]));
  }
  @Override public Picture picture(int index) throws IOException {
    return shards.pair(numbers[index], FIRST.fold(numbers[index])).picture();
  }
}
