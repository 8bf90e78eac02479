package jacquard.clip.eval.layouts.binary;

import jacquard.clip.checkpoint.torch.PickledArrays;
import jacquard.clip.eval.layouts.Labels;
import jacquard.clip.eval.layouts.Layout;
import jacquard.clip.eval.sets.TestSet;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/// CIFAR's "python version": dictionaries that Python pickled, of `data` `[pictures, 3072]` (red, green, blue) and
/// `labels`, or `fine_labels` of CIFAR-100. `cifar-10-batches-py/test_batch` and `data_batch_1` …, or
/// `cifar-100-python/test` and `train`. Nothing of the pickles is run.
public final class CifarPickled implements Layout {
  private static List<Path> files(Place place) {
    var r = new ArrayList<Path>();
    if (!place.set().row().contains("cifar") || !place.split().matches("test|train")) return r;
    boolean test = place.split().equals("test");
    if (Cifar.coarse(place)) r.add(place.file(place.split()));
    else if (test) r.add(place.file("test_batch"));
    else for (int i = 1; i <= 5; i++) r.add(place.file("data_batch_" + i));
    r.removeIf(f -> f == null);
    return r;
  }

  @Override public boolean is(Place place) { return !files(place).isEmpty(); }

  @Override public TestSet read(Place place) throws IOException {
    var files = files(place);
    var pictures = new ArrayList<byte[]>();
    var labels = new ArrayList<Integer>();
    var of = new ArrayList<int[]>();
    for (var f : files) {
      var all = PickledArrays.read(f);
      byte[] data = all.bytes("data", 3 * Cifar.AREA);
      int[] these = all.numbers(all.has("fine_labels") ? "fine_labels" : "labels");
      if (these.length != data.length / (3 * Cifar.AREA))
        throw new IOException("%s has %,d pictures and %,d labels".formatted(f, data.length / (3 * Cifar.AREA),
            these.length));
      for (int i = 0; i < these.length; i++) {
        of.add(new int[] {pictures.size(), 3 * Cifar.AREA * i});
        labels.add(these[i]);
      }
      pictures.add(data);
    }
    int[] numbers = IntStream.range(0, labels.size()).map(labels::get).toArray();
    return Labels.set(place, numbers, i -> Cifar.picture(pictures.get(of.get(i)[0]), of.get(i)[1]),
        Labels.mark(files.toArray(Path[]::new)));
  }
}
