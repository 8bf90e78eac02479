package jacquard.clip.eval.layouts.binary;

import jacquard.clip.eval.layouts.Labels;
import jacquard.clip.eval.layouts.Layout;
import jacquard.clip.eval.sets.TestSet;
import jacquard.clip.image.Mode;
import jacquard.clip.image.Picture;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.zip.GZIPInputStream;

/// MNIST's files and those of its kind: `t10k-images-idx3-ubyte` and `t10k-labels-idx1-ubyte` (or `train-…`), with
/// `.gz` or without.
public final class Idx implements Layout {
  private static final int IMAGES = 0x803, LABELS = 0x801, LARGEST = 1 << 30;

  private static Path file(Place place, String kind, String dims) {
    var part = place.split().equals("train") ? "train" : "t10k";
    var stem = part + "-" + kind;
    return place.split().matches("test|train") ? place.file(stem + "-" + dims + "-ubyte",
        stem + "-" + dims + "-ubyte.gz",
        stem + "." + dims + "-ubyte", stem + "." + dims + "-ubyte.gz") : null;
  }

  @Override public boolean is(Place place) {
    return file(place, "images", "idx3") != null && file(place, "labels", "idx1") != null;
  }

  @Override public TestSet read(Place place) throws IOException {
    Path images = file(place, "images", "idx3"), labels = file(place, "labels", "idx1");
    var i = read(images, IMAGES, 16);
    var l = read(labels, LABELS, 8);
    int n = i.getInt(4), height = i.getInt(8), width = i.getInt(12);
    long needed = 16L + (long) n * height * width;
    if (n < 1 || height < 1 || width < 1 || needed != i.capacity())
      throw new IOException("%s says %,d pictures of %d × %d, and has %,d bytes, expected %,d".formatted(images, n,
          width, height, i.capacity(), needed));
    if (l.getInt(4) != n || l.capacity() != 8 + n)
      throw new IOException("%s has %,d labels, expected one for each of %,d pictures".formatted(labels,
          l.capacity() - 8, n));
    var of = new int[n];
    for (int k = 0; k < n; k++) of[k] = l.get(8 + k) & 255;
    byte[] all = i.array();
    int size = height * width;
    return Labels.set(place, of, k -> Picture.of(Mode.GREY, width, height,
        Arrays.copyOfRange(all, 16 + k * size, 16 + (k + 1) * size)),
        Labels.mark(images, labels));
  }

  private static ByteBuffer read(Path file, int magic, int header) throws IOException {
    byte[] all;
    try (InputStream in = Files.newInputStream(file)) {
      all = (file.toString().endsWith(".gz") ? new GZIPInputStream(in) : in).readNBytes(LARGEST);
    }
    var r = ByteBuffer.wrap(all);
    if (all.length < header || r.getInt(0) != magic)
      throw new IOException("%s is no such file: it begins with %s, expected %08x".formatted(file,
          all.length < 4 ? "nothing"
          : "%08x".formatted(r.getInt(0)), magic));
    return r;
  }
}
