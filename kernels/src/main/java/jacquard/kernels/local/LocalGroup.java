package jacquard.kernels.local;

import jacquard.kernels.cpu.Parallel;
import jacquard.tensor.Group;
import java.util.List;

/// A rank that is a thread among threads: it reads its peers' arrays where they are. Between two meetings nobody
/// changes them.
///
/// @param meeting shared by all ranks of the group
record LocalGroup(int rank, int size, Meeting meeting) implements Group {
  /// Floats that one piece of work adds up.
  private static final int GRAIN = 32768;
  private record Reduction(List<Stretch> in, List<Stretch> out) {}

  @Override public boolean together() { return true; }
  @Override public List<Object> meet(String what, Object mine) { return meeting.meet(rank, what, mine); }
  @Override public void whenFailed(Runnable action) { meeting.whenFailed(action); }

  @Override public void allGather(String what, Stretch part, Stretch all) {
    int at = all.from();
    for (var p : meet(what, part)) {
      var s = (Stretch) p;
      System.arraycopy(s.array(), s.from(), all.array(), at, s.count());
      at += s.count();
    }
    leave(what);
  }

  @Override public void reduceScatter(String what, Stretch all, int[] counts, Stretch part) {
    int skip = 0;
    for (int r = 0; r < rank; r++) skip += counts[r];
    sum(meet(what, all).stream().map(Stretch.class::cast).toList(), skip, counts[rank], 1, (float[]) part.array(),
        part.from());
    leave(what);
  }

  /// Each rank adds up one share of the elements and hands it to all.
  @Override public void allReduce(String what, float factor, List<Stretch> in, List<Stretch> out) {
    var all = meet(what, new Reduction(in, out)).stream().map(Reduction.class::cast).toList();
    for (int t = 0; t < in.size(); t++) {
      int i = t;
      int n = in.get(i).count();
      int from = (int) ((long) n * rank / size);
      int count = (int) ((long) n * (rank + 1) / size) - from;
      int at = out.get(i).from() + from;
      float[] mine = (float[]) out.get(i).array();
      sum(all.stream().map(r -> r.in.get(i)).toList(), from, count, factor, mine, at);
      for (var r : all)
        if (r.out.get(i) != out.get(i))
          System.arraycopy(mine, at, r.out.get(i).array(), r.out.get(i).from() + from, count);
    }
    leave(what);
  }

  @Override public double[] sum(String what, double... values) {
    double[] r = new double[values.length];
    for (var v : meet(what + " of " + values.length + " numbers", values.clone()))
      for (int i = 0; i < r.length; i++) r[i] += ((double[]) v)[i];
    return r;
  }

  private void leave(String what) { meet("the end of " + what, null); }

  /// y[at + i] = factor·Σ x[skip + i], in the order of the ranks.
  private static void sum(List<Stretch> all, int skip, int count, float factor, float[] y, int at) {
    Parallel.rows(count, GRAIN, (from, to) -> {
      for (int r = 0; r < all.size(); r++) {
        float[] x = (float[]) all.get(r).array();
        int xt = all.get(r).from() + skip;
        if (r == 0) System.arraycopy(x, xt + from, y, at + from, to - from);
        else for (int i = from; i < to; i++) y[at + i] += x[xt + i];
      }
      if (factor != 1) for (int i = from; i < to; i++) y[at + i] *= factor;
    });
  }

  @Override public String toString() { return "rank " + rank + " of " + size; }
}
