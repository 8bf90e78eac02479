package jacquard.clip.data.source;

import jacquard.clip.image.Picture;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/// Some samples of a source, which choose among all of its names.
///
/// @param indices their numbers in the whole
public record Part(Source whole, String name, int[] indices) implements Source {
  /// One of two halves: every other picture, so that a sorted source falls apart evenly. Captions of one picture stay
  /// together.
  ///
  /// @param half 0 or 1
  public static Part half(Source whole, int half) {
    var seen = new java.util.LinkedHashMap<Object, Integer>();
    for (int i = 0; i < whole.size(); i++) seen.putIfAbsent(whole.group(i), seen.size());
    return new Part(whole, whole.name() + (half == 0 ? ", validation half" : ", test half"),
        IntStream.range(0, whole.size()).filter(i -> seen.get(whole.group(i)) % 2 == half).toArray());
  }

  @Override public int size() { return indices.length; }
  @Override public String caption(int index) { return whole.caption(indices[index]); }
  @Override public Object group(int index) { return whole.group(indices[index]); }
  @Override public List<String> names() { return whole.names(); }
  @Override public Picture picture(int index) throws IOException { return whole.picture(indices[index]); }
  @Override public Optional<byte[]> file(int index) throws IOException { return whole.file(indices[index]); }
}
