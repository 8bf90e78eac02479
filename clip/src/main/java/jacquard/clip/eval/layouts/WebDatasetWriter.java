package jacquard.clip.eval.layouts;

import jacquard.clip.checkpoint.files.AtomicFile;
import jacquard.clip.data.shards.ShardWriter;
import jacquard.clip.eval.Advance;
import jacquard.clip.eval.sets.Prompts;
import jacquard.clip.eval.sets.TestSet;
import jacquard.clip.eval.sets.Truth;
import jacquard.clip.image.Pixels;
import java.awt.image.BufferedImage;
import java.io.BufferedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import javax.imageio.ImageIO;

/// Writes a test set as CLIP_benchmark lays it out and reads it: see [WebDataset]. Pictures become PNG, so that every
/// reader has the same pixels.
public final class WebDatasetWriter {
  private static final int MOST = 10_000;
  private static final long LARGEST = 1_000_000_000;

  private final Path split;
  private OutputStream tar;
  private int shards, inShard;
  private long bytes;

  private WebDatasetWriter(Path split) { this.split = split; }

  /// @param split its folder's name, `test` say
  /// @throws IOException if the folder holds shards already, cannot be written, or a picture cannot be read
  public static void write(TestSet set, Path folder, String split, Advance advance) throws IOException {
    var to = folder.resolve(split);
    if (Files.exists(to.resolve(WebDataset.COUNT)) || Files.exists(to.resolve("0.tar")))
      throw new IOException(to + " holds shards already; choose another folder, or take them away");
    Files.createDirectories(to);
    switch (set.truth()) {
      case Truth.Labels _ -> prompts(set.prompts(), folder, "classification");
      case Truth.Several _ -> prompts(set.prompts(), folder, "multilabel");
      case Truth.Captions _ -> AtomicFile.write(folder.resolve(WebDataset.TYPE), "retrieval\n");
      default -> throw new IOException(set.folder() + " has choices, which this layout has no place for");
    }
    var writer = new WebDatasetWriter(to);
    try {
      for (int i = 0; i < set.size(); i++) {
        writer.add("s%07d".formatted(i), png(set.pictures().at(i).pixels()), set.truth(), i);
        advance.by(1);
      }
      writer.finish();
      AtomicFile.write(to.resolve(WebDataset.COUNT), writer.shards + "\n");
    } finally { writer.drop(); }
  }

  private static void prompts(Prompts prompts, Path folder, String type) throws IOException {
    if (!type.equals("classification")) AtomicFile.write(folder.resolve(WebDataset.TYPE), type + "\n");
    if (prompts == null) return;
    for (var c : prompts.classes())
      if (c.isBlank() || c.contains("\n")) throw new IOException("the class name \"" + c + "\" is no line of its own");
    AtomicFile.write(folder.resolve(OwnPrompts.CLASSES), lines(prompts.classes()));
    var templates = prompts.templates();
    if (templates != null) AtomicFile.write(folder.resolve(OwnPrompts.TEMPLATES), lines(templates));
  }

  private static String lines(List<String> of) { return String.join("\n", of) + "\n"; }

  private void add(String key, byte[] picture, Truth truth, int i) throws IOException {
    if (tar == null) tar = new BufferedOutputStream(Files.newOutputStream(part()), 1 << 16);
    ShardWriter.entry(tar, key + ".png", picture);
    switch (truth) {
      case Truth.Labels l -> ShardWriter.entry(tar, key + ".cls",
          Integer.toString(l.of()[i]).getBytes(StandardCharsets.US_ASCII));
      case Truth.Several s -> ShardWriter.entry(tar, key + ".npy", Npy.of(s.of()[i]));
      case Truth.Captions c -> ShardWriter.entry(tar, key + ".txt", String.join("\n", c.of().get(i).stream()
          .map(t -> t.replace("\n", "\\n")).toList()).getBytes(StandardCharsets.UTF_8));
      default -> throw new IllegalStateException("no place for " + truth);
    }
    bytes += picture.length;
    if (++inShard == MOST || bytes >= LARGEST) finish();
  }

  private Path part() { return split.resolve(shards + ".tar.part"); }

  private void finish() throws IOException {
    if (tar == null) return;
    tar.write(new byte[1024]);
    tar.close();
    tar = null;
    Files.move(part(), split.resolve(shards + ".tar"), StandardCopyOption.ATOMIC_MOVE);
    shards++;
    inShard = 0;
    bytes = 0;
  }

  private void drop() throws IOException {
    if (tar == null) return;
    tar.close();
    Files.deleteIfExists(part());
  }

  private static byte[] png(Pixels pixels) throws IOException {
    var image = new BufferedImage(pixels.width(), pixels.height(), BufferedImage.TYPE_INT_RGB);
    byte[] rgb = pixels.rgb();
    var row = new int[pixels.width() * pixels.height()];
    for (int i = 0; i < row.length; i++) row[i] = (rgb[3 * i] & 255) << 16 | (rgb[3 * i + 1] & 255)
      << 8 | rgb[3 * i + 2] & 255;
    image.setRGB(0, 0, pixels.width(), pixels.height(), row, 0, pixels.width());
    var r = new ByteArrayOutputStream();
    ImageIO.write(image, "png", r);
    return r.toByteArray();
  }
}
