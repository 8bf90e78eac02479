package jacquard.clip.eval;

import jacquard.autograd.Parameters;
import jacquard.clip.eval.metrics.Classifier;
import jacquard.clip.image.PatchFrame;
import jacquard.clip.image.Pixels;
import jacquard.clip.image.Transform;
import jacquard.clip.model.ClipModel;
import jacquard.clip.model.tower.ImageBatch;
import jacquard.clip.model.tower.Patches;
import jacquard.clip.text.Tokenizer;
import jacquard.tensor.Device;
import jacquard.tensor.Grid;
import jacquard.tensor.Scope;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import java.util.function.Supplier;
import java.util.stream.IntStream;

/// Normalised features of many images or texts, batch by batch; each batch's memory ends with it. A picture is decoded,
/// resized and dropped before many are held.
public record Embedder(ClipModel model, Transform transform, int batch, Supplier<Tokenizer> tokenizer) {
  /// Pictures decoded at a time: the largest that is read (25 million pixels, 8 bytes each while it is decoded) may be
  /// all of them, and fill half of the heap. Fair, so that one that needs all permits gets them.
  private static final int AT_ONCE = (int) Math.clamp(Runtime.getRuntime().maxMemory() / 2 / 200_000_000, 1, 1024);
  private static final Semaphore DECODING = new Semaphore(AT_ONCE, true);

  /// Patches at a time of a tower that takes pictures of any size.
  private static final int TOKENS = 16384;

  /// @param folder with the tokenizer's files, which are read when the first text comes; null if there is none
  public Embedder(ClipModel model, Transform transform, int batch, Path folder) {
    this(model, transform, batch, new Once(() -> model.config().text().input().captions(folder)));
  }

  /// For models with CLIP's own tokenizer.
  public Embedder(ClipModel model, Transform transform, int batch) { this(model, transform, batch, (Path) null); }

  /// What is made when it is first asked for.
  private static final class Once implements Supplier<Tokenizer> {
    private final Supplier<Tokenizer> maker;
    private Tokenizer made;

    Once(Supplier<Tokenizer> maker) { this.maker = maker; }

    @Override public synchronized Tokenizer get() { return made == null ? made = maker.get() : made; }
  }

  /// Pictures by number, each read when it is asked for.
  public interface Pictures {
    jacquard.clip.image.Picture at(int index) throws IOException;

    /// What stands in errors.
    default String name(int index) { return "picture " + (index + 1); }
  }

  /// The size that the image tower takes.
  private Grid input() { return model.visual().input(); }

  /// Of the parameters that are there: of those that ranks share types alone may be.
  /// @throws IllegalStateException where none is, as of a model whose scope has ended
  public Device device() {
    return Parameters.of(model).all().values().stream().filter(Tensor::live).findFirst()
        .orElseThrow(() -> new IllegalStateException("the model is closed: its weights are gone")).device();
  }

  /// How many of some features hold a value that is not finite.
  public static int nonFinite(float[][] features) {
    int n = 0;
    for (float[] f : features) if (!finite(f)) n++;
    return n;
  }

  public static boolean finite(float[] feature) {
    for (float v : feature) if (!Float.isFinite(v)) return false;
    return true;
  }

  /// `[count, embedding]`, row-major.
  ///
  /// @throws IOException of the first picture that cannot be read
  public float[][] images(int count, Pictures pictures, Advance advance) throws IOException {
    var failures = new Failures();
    float[][] r = readable(count, pictures, failures, advance);
    if (failures.count() > 0) throw failures.cause();
    return r;
  }

  /// The same, but a picture that cannot be read is counted as a failure, and its features are null.
  public float[][] readable(int count, Pictures pictures, Failures failures, Advance advance) {
    var out = new float[count][];
    var frame = model.visual().frame();
    int batch = frame.map(f -> Math.clamp(TOKENS / f.room(), 1, this.batch)).orElse(this.batch);
    for (int from = 0; from < count; from += batch) {
      int first = from, n = Math.min(batch, count - from);
      var decoded = new Pixels[n];
      IntStream.range(0, n).parallel().forEach(i -> {
        try {
          decoded[i] = decoded(pictures, first + i, frame);
        } catch (IOException | RuntimeException e) {
          failures.add(first + i, e);
        }
      });
      int[] read = IntStream.range(0, n).filter(i -> decoded[i] != null).toArray();
      if (read.length > 0) {
        var all = IntStream.of(read).mapToObj(i -> decoded[i]).toList();
        float[][] features = new float[read.length][];
        try (var _ = Scope.open(device())) {
          rows((frame.isEmpty() ? model.embedImages(images(all)) : model.embedImages(patches(all, frame.get())))
              .floats(), read.length, features, 0);
        }
        for (int i = 0; i < read.length; i++) out[from + read[i]] = features[i];
      }
      advance.by(n);
    }
    return out;
  }

  /// One that does not fit beside the others is tried again alone; what does not fit then fails, not the collection.
  private Pixels decoded(Pictures pictures, int index, Optional<PatchFrame> frame) throws IOException {
    try {
      return decoded(pictures, index, frame, 1);
    } catch (IOException | OutOfMemoryError beside) {
      if (!exhausted(beside) && !exhausted(beside.getCause())) throw beside;
    }
    try {
      return decoded(pictures, index, frame, AT_ONCE);
    } catch (OutOfMemoryError alone) {
      throw new IOException(pictures.name(index) + ": takes more memory than there is; give the JVM more "
          + "with -Xmx (JACQUARD_OPTS=-Xmx2g before ./jacquard), or leave the file out", alone);
    }
  }

  private static boolean exhausted(Throwable e) { return e instanceof OutOfMemoryError; }

  private Pixels decoded(Pictures pictures, int index, Optional<PatchFrame> frame, int permits) throws IOException {
    DECODING.acquireUninterruptibly(permits);
    try {
      var picture = pictures.at(index);
      return frame.isEmpty() ? transform.pixels(picture) : transform.pixels(picture, frame.get());
    } finally {
      DECODING.release(permits);
    }
  }

  private ImageBatch images(List<Pixels> all) {
    int each = input().size() * 3;
    byte[] pixels = new byte[all.size() * each];
    for (int i = 0; i < all.size(); i++) System.arraycopy(all.get(i).rgb(), 0, pixels, i * each, each);
    return ImageBatch.ofSamples(pixels, all.size(), input(), transform.config().mean(), transform.config().std());
  }

  private Patches patches(List<Pixels> all, PatchFrame frame) {
    int side = frame.side(), width = side * side * 3;
    var grids = all.stream().map(p -> new Grid(p.height() / side, p.width() / side)).toList();
    float[] rows = new float[Math.multiplyExact(grids.stream().mapToInt(Grid::size).sum(), width)];
    for (int i = 0, at = 0; i < all.size(); at += grids.get(i++).size() * width)
      System.arraycopy(transform.patches(all.get(i), side), 0, rows, at, grids.get(i).size() * width);
    return new Patches(Tensor.of(Shape.of(rows.length / width, width), rows), grids, frame.room());
  }

  public float[][] texts(List<String> captions, Advance advance) {
    var out = new float[captions.size()][];
    var tokenizer = tokenizer().get();
    for (int from = 0; from < out.length; from += batch) {
      int n = Math.min(batch, out.length - from);
      int[][] tokens = tokenizer.tokenize(captions.subList(from, from + n), model.config().text().input().context());
      try (var _ = Scope.open(device())) { rows(model.embedTexts(known(tokens)).floats(), n, out, from); }
      advance.by(n);
    }
    return out;
  }

  /// The same, if the model has a vector for each.
  private int[][] known(int[][] tokens) {
    int largest = Arrays.stream(tokens).flatMapToInt(Arrays::stream).max().orElse(0);
    int size = model.config().json().path("text_cfg").path("vocab_size").asInt(Integer.MAX_VALUE);
    if (largest < size) return tokens;
    throw new IllegalArgumentException(("text_cfg.vocab_size is %,d, but the tokenizer gives token %,d, expected %,d "
        + "or more (CLIP's own needs 49,408)").formatted(size, largest, largest + 1));
  }

  /// Cosines of pictures with labels, the mean over templates, of a model whose texts depend on the picture.
  ///
  /// @param pictures normalised features
  float[][] cosines(float[][] pictures, List<String> labels, Templates templates) {
    int n = templates.texts().size(), m = labels.size(), e = pictures[0].length;
    int[][] tokens = tokenizer().get().tokenize(labels.stream().flatMap(l -> templates.of(l).stream()).toList(),
        model.config().text().input().context());
    float[][] out = new float[pictures.length][m];
    int block = Math.max(1, 4 * batch / tokens.length);
    for (int from = 0; from < pictures.length; from += block) {
      int count = Math.min(block, pictures.length - from);
      float[] x = new float[count * e];
      for (int i = 0; i < count; i++) System.arraycopy(pictures[from + i], 0, x, i * e, e);
      try (var _ = Scope.open(device())) {
        float[] z = model.text().cosines(Tensor.of(Shape.of(count, e), x), tokens).floats();
        for (int i = 0; i < z.length; i++) out[from + i / tokens.length][i % tokens.length / n] += z[i] / n;
      }
    }
    return out;
  }

  /// The features of labels as [Templates] put them into sentences: means of normalised features, normalised.
  /// `[labels, embedding]`
  public float[][] labels(List<String> labels, Templates templates, Advance advance) {
    int n = templates.texts().size(), block = Math.max(1, batch / n);
    if (n == 1) return texts(labels.stream().map(l -> templates.of(l).getFirst()).toList(), advance);
    var out = new float[labels.size()][];
    for (int from = 0; from < out.length; from += block) {
      var part = labels.subList(from, Math.min(out.length, from + block));
      float[][] f = texts(part.stream().flatMap(l -> templates.of(l).stream()).toList(), Advance.UNHEARD);
      for (int i = 0; i < part.size(); i++) out[from + i] = Classifier.mean(Arrays.copyOfRange(f, i * n, i * n + n));
      advance.by(part.size());
    }
    return out;
  }

  private static void rows(float[] all, int n, float[][] out, int from) {
    int d = all.length / n;
    for (int i = 0; i < n; i++) out[from + i] = Arrays.copyOfRange(all, i * d, i * d + d);
  }
}
