package jacquard.clip.eval.layouts;

import jacquard.clip.eval.sets.Prompts;
import jacquard.clip.eval.sets.TestSet;
import jacquard.clip.eval.sets.Truth;
import jacquard.clip.eval.Embedder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;

/// What the layouts with a number a picture have in common.
public final class Labels {
  private Labels() {}

  /// @param labels within the classes
  public static TestSet set(Layout.Place place, int[] labels, Embedder.Pictures pictures,
      Fingerprint mark) throws IOException {
    return set(place, labels, pictures, OwnPrompts.of(place), mark);
  }

  public static TestSet set(Layout.Place place, int[] labels, Embedder.Pictures pictures, Prompts prompts,
      Fingerprint mark)
      throws IOException {
    int classes = prompts == null ? Integer.MAX_VALUE : prompts.size();
    for (int i = 0; i < labels.length; i++)
      if (labels[i] < 0 || labels[i] >= classes)
        throw new IOException("%s: the label %d of picture %d is outside the %,d classes (0 to %,d)"
            .formatted(place.folder(), labels[i], i,
            classes, classes - 1));
    if (labels.length == 0) throw new IOException(place.folder() + " holds no picture");
    return new TestSet(place.set(), place.folder(), labels.length, pictures,
        new Truth.Labels(labels, new LinkedHashMap<>()),
        prompts, mark.toString());
  }

  public static Fingerprint mark(Path... files) throws IOException {
    var r = new Fingerprint();
    for (var f : files) r.add(f.getFileName() + " " + Files.size(f) + " " + Files.getLastModifiedTime(f));
    return r;
  }
}
