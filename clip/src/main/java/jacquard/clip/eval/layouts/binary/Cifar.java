package jacquard.clip.eval.layouts.binary;

import jacquard.clip.eval.layouts.Labels;
import jacquard.clip.eval.layouts.Layout;
import jacquard.clip.eval.sets.TestSet;
import jacquard.clip.image.Picture;
import jacquard.clip.image.Pixels;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// CIFAR's binary files: a label (CIFAR-100: the coarse one, then the fine), then 32 × 32 red, green and blue.
/// `test_batch.bin` or `test.bin`; `data_batch_1.bin` … or `train.bin`. [CifarPickled] reads Python's.
public final class Cifar implements Layout {
  private static final int SIDE = 32;
  static final int AREA = SIDE * SIDE;

  private static List<Path> files(Place place) {
    var r = new ArrayList<Path>();
    if (!place.set().row().contains("cifar")) return r;
    boolean test = place.split().equals("test"), train = place.split().equals("train");
    if (coarse(place)) {
      if (test || train) r.add(place.file(test ? "test.bin" : "train.bin"));
    } else if (test) r.add(place.file("test_batch.bin"));
    else if (train) for (int i = 1; i <= 5; i++) r.add(place.file("data_batch_" + i + ".bin"));
    r.removeIf(f -> f == null);
    return r;
  }

  static boolean coarse(Place place) { return place.set().row().matches(".*cifar-?100"); }

  @Override public boolean is(Place place) { return !files(place).isEmpty(); }

  @Override public TestSet read(Place place) throws IOException {
    var files = files(place);
    int before = coarse(place) ? 2 : 1, record = before + 3 * AREA;
    var bytes = new ByteArrayOutputStream();
    for (var f : files) {
      if (Files.size(f) % record != 0 || Files.size(f) == 0 || Files.size(f) > 1L << 30)
        throw new IOException("%s has %,d bytes, expected a multiple of %,d".formatted(f, Files.size(f), record));
      bytes.write(Files.readAllBytes(f));
    }
    byte[] all = bytes.toByteArray();
    var labels = new int[all.length / record];
    for (int i = 0; i < labels.length; i++) labels[i] = all[i * record + before - 1] & 255;
    return Labels.set(place, labels, i -> picture(all, i * record + before), Labels.mark(files.toArray(Path[]::new)));
  }

  static Picture picture(byte[] all, int at) {
    var rgb = new byte[3 * AREA];
    for (int p = 0; p < AREA; p++) for (int c = 0; c < 3; c++) rgb[3 * p + c] = all[at + c * AREA + p];
    return new Pixels(SIDE, SIDE, rgb).picture();
  }
}
