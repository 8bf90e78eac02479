package jacquard.tests.ranks;

import jacquard.tensor.DType;
import jacquard.tensor.Device;
import jacquard.tensor.Group;
import jacquard.tensor.Group.Stretch;
import jacquard.tensor.Scope;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Collective;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/// One process of those that [MpiTest] and `TcpTest` start: `collectives`, or how rank 1 goes wrong. The property
/// `kind` says how they are joined.
public final class MpiRank {
  private MpiRank() {}

  public static void main(String[] arguments) {
    try {
      Group.<Integer, Exception>join(System.getProperty("kind", "mpi"), Duration.ofSeconds(2), g ->
          arguments[0].equals("collectives") ? collectives(g) : wrong(g, arguments[0]));
      System.out.println("fine");
    } catch (Throwable t) {
      System.out.println("rank " + arguments[1] + " says: " + t.getMessage());
      System.exit(1);
    }
  }

  private static int collectives(Group g) throws Exception {
    exact(g, 3, 1);
    exact(g, 70_001, 0.5f);
    exact(g, 5_000_003, 1);
    mostlyZero(g);
    texts(g);
    try (var _ = Scope.open(Device.named("cpu"))) { ops(g); }
    try {
      g.meet("objects", 1);
      throw new AssertionError("objects met");
    } catch (UnsupportedOperationException expected) { g.barrier(); }
    return 0;
  }

  /// All collectives on floats whose sums depend on the order, against sums in rank order.
  private static void exact(Group g, int n, float factor) {
    float[] mine = draw(g.rank(), n), sum = draw(0, n);
    for (int r = 1; r < g.size(); r++) {
      float[] x = draw(r, n);
      for (int i = 0; i < n; i++) sum[i] += x[i];
    }
    float[] reduced = new float[n];
    g.allReduce("sums", factor, List.of(new Stretch(mine, 0, 1), new Stretch(mine, 1, n - 1)),
        List.of(new Stretch(reduced, 0, 1), new Stretch(reduced, 1, n - 1)));
    for (int i = 0; i < n; i++)
      if (reduced[i] != (factor == 1 ? sum[i] : sum[i] * factor)) throw new AssertionError("sum " + i + " of " + n);
    int[] counts = new int[g.size()];
    for (int r = 0, left = n; r < counts.length; left -= counts[r++])
      counts[r] = r == counts.length - 1 ? left : Math.min(left, n * (r + 1) / (counts.length * 2));
    int first = Arrays.stream(counts, 0, g.rank()).sum();
    float[] part = new float[counts[g.rank()]], all = new float[n];
    g.reduceScatter("parts of sums", new Stretch(mine, 0, n), counts, new Stretch(part, 0, part.length));
    if (!Arrays.equals(part, Arrays.copyOfRange(sum, first, first + part.length)))
      throw new AssertionError("a part of the sums of " + n);
    g.allGather("all parts", new Stretch(part, 0, part.length), new Stretch(all, 0, n));
    if (!Arrays.equals(all, sum)) throw new AssertionError("gathered " + n);
  }

  /// A table of whose rows each rank has a few, one of them of -0 alone, to the bit; what lay in the sums' place goes.
  private static void mostlyZero(Group g) {
    int n = 300_000, row = 100;
    var expected = new float[n];
    float[] mine = null;
    for (int r = 0; r < g.size(); r++) {
      float[] values = draw(r, n), x = new float[n];
      for (int from = 700 * r; from + row <= n; from += 41_300) System.arraycopy(values, from, x, from, row);
      Arrays.fill(x, 150_000, 150_700, -0f);
      for (int i = 0; i < n; i++) expected[i] = r == 0 ? x[i] : expected[i] + x[i];
      if (r == g.rank()) mine = x;
    }
    for (float factor : new float[] {1, 0.5f, -1, 0}) {
      float[] reduced = new float[n + 3];
      Arrays.fill(reduced, 7);
      g.allReduce("a table", factor, List.of(new Stretch(mine, 0, n)), List.of(new Stretch(reduced, 3, n)));
      for (int i = 0; i < n; i++)
        if (Float.floatToRawIntBits(reduced[i + 3]) != Float.floatToRawIntBits(expected[i] * factor))
          throw new AssertionError("row " + i / row + " times " + factor + " is " + reduced[i + 3]);
    }
  }

  private static float[] draw(int seed, int n) {
    var random = new Random(seed);
    float[] r = new float[n];
    for (int i = 0; i < n; i++) r[i] = random.nextFloat() - 0.5f;
    return r;
  }

  private static void texts(Group g) {
    var said = new ArrayList<String>();
    for (int r = 0; r < g.size(); r++) said.add("ä".repeat(r));
    if (!g.strings("texts", "ä".repeat(g.rank())).equals(said)) throw new AssertionError("texts");
    double[] d = g.sum("numbers", 0.1, g.rank());
    double tenths = 0;
    for (int r = 0; r < g.size(); r++) tenths += 0.1;
    if (d[0] != tenths || d[1] != g.size() * (g.size() - 1) / 2) throw new AssertionError(Arrays.toString(d));
  }

  /// The ops, of a 16-bit type too.
  private static void ops(Group g) {
    int[] rows = new int[g.size()];
    Arrays.setAll(rows, r -> r + 1);
    var x = Tensor.full(Shape.of(rows[g.rank()], 3), g.rank()).cast(DType.BF16);
    float[] y = Tensor.apply(new Collective.AllGather(g, rows), x).floats();
    for (int r = 0, i = 0; r < g.size(); r++)
      for (int k = 0; k < rows[r] * 3; k++, i++) if (y[i] != r) throw new AssertionError("row " + i);
  }

  private static int wrong(Group g, String how) throws Exception {
    g.barrier();
    if (g.rank() == 1)
      switch (how) {
        case "throws" -> throw new IllegalArgumentException("the seventh seal is broken");
        case "exits" -> System.exit(3);
        case "is killed" -> {
          ProcessHandle.current();
          new ProcessBuilder("kill", "-9", Long.toString(ProcessHandle.current().pid())).start();
          Thread.sleep(60_000);
        }
        case "hangs" -> Thread.sleep(60_000);
        case "does another thing" -> g.sum("apples", 1);
        default -> { return 0; }
      }
    g.sum("pears", 1);
    return 0;
  }
}
