package jacquard.clip.eval.layouts.binary;

import jacquard.clip.eval.layouts.Labels;
import jacquard.clip.eval.layouts.Layout;
import jacquard.clip.eval.sets.TestSet;
import jacquard.clip.image.Picture;
import jacquard.clip.image.Pixels;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;

/// STL-10's binary files: `test_X.bin` with pictures of 96 × 96, channel by channel and column by column, `test_y.bin`
/// with labels from 1; or `train_…`.
public final class Stl implements Layout {
  private static final int SIDE = 96, AREA = SIDE * SIDE;

  private static Path file(Place place, String kind) {
    return place.split().matches("test|train") ? place.file(place.split() + "_" + kind + ".bin") : null;
  }

  @Override public boolean is(Place place) { return file(place, "X") != null && file(place, "y") != null; }

  @Override public TestSet read(Place place) throws IOException {
    Path pictures = file(place, "X"), labels = file(place, "y");
    if (Files.size(labels) > 1 << 24) throw new IOException(labels + ": " + Files.size(labels)
        + " bytes, expected one a picture");
    byte[] of = Files.readAllBytes(labels);
    if (Files.size(pictures) != 3L * AREA * of.length)
      throw new IOException("%s has %,d bytes, expected %,d for the %,d labels of %s".formatted(pictures,
          Files.size(pictures),
          3L * AREA * of.length, of.length, labels.getFileName()));
    var r = new int[of.length];
    for (int i = 0; i < r.length; i++) r[i] = (of[i] & 255) - 1;
    return Labels.set(place, r, i -> picture(pictures, i), Labels.mark(pictures, labels));
  }

  private static Picture picture(Path file, int index) throws IOException {
    var bytes = ByteBuffer.allocate(3 * AREA);
    try (var in = FileChannel.open(file)) {
      while (bytes.hasRemaining()) if (in.read(bytes, 3L * AREA * index + bytes.position()) < 0)
        throw new EOFException(file + " ended while it was read");
    }
    var rgb = new byte[3 * AREA];
    for (int c = 0; c < 3; c++) for (int x = 0; x < SIDE; x++) for (int y = 0; y < SIDE; y++)
      rgb[3 * (y * SIDE + x) + c] = bytes.get(c * AREA + x * SIDE + y);
    return new Pixels(SIDE, SIDE, rgb).picture();
  }
}
