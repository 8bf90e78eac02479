package jacquard.clip.data.source;

import jacquard.clip.image.Picture;
import jacquard.tensor.Random;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;

/// A source whose pictures have several captions, each picture once: of its captions one is drawn whenever it is read.
///
/// @param rows of each picture the samples of the source that show it
public record ChosenCaptions(Source source, List<int[]> rows) implements Source {
  public static ChosenCaptions of(Source source) {
    var groups = new LinkedHashMap<Object, List<Integer>>();
    for (int i = 0; i < source.size(); i++) groups.computeIfAbsent(source.group(i), _ -> new ArrayList<>()).add(i);
    return new ChosenCaptions(source, groups.values().stream()
        .map(g -> g.stream().mapToInt(i -> i).toArray()).toList());
  }

  @Override public String name() { return source.name(); }
  @Override public int size() { return rows.size(); }
  @Override public List<String> names() { return source.names(); }
  /// The first one.
  @Override public String caption(int index) { return source.caption(rows.get(index)[0]); }
  @Override public String caption(int index, Random draw) {
    int[] r = rows.get(index);
    return source.caption(r[draw.below(0, r.length)]);
  }
  @Override public Picture picture(int index) throws IOException { return source.picture(rows.get(index)[0]); }
  @Override public Optional<byte[]> file(int index) throws IOException { return source.file(rows.get(index)[0]); }
}
