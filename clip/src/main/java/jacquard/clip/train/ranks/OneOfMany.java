package jacquard.clip.train.ranks;

import jacquard.tensor.Group;
import java.util.List;

/// Rank 0 of a group whose other ranks are imagined: they have and do what it has and does.
record OneOfMany(int size) implements Group {
  @Override public int rank() { return 0; }
  @Override public boolean together() { return false; }
  @Override public void whenFailed(Runnable action) {}
  @Override public void reduceScatter(String what, Stretch all, int[] counts, Stretch part) {}
  @Override public void allReduce(String what, float factor, List<Stretch> in, List<Stretch> out) {}

  @Override public void allGather(String what, Stretch part, Stretch all) {
    for (int r = 0; r < size; r++)
      System.arraycopy(part.array(), part.from(), all.array(), all.from() + r * part.count(), part.count());
  }

  @Override public int[] allGather(String what, int... mine) {
    int[] all = new int[size * mine.length];
    allGather(what, new Stretch(mine, 0, mine.length), new Stretch(all, 0, all.length));
    return all;
  }

  @Override public double[] sum(String what, double... values) {
    double[] r = values.clone();
    for (int i = 0; i < r.length; i++) r[i] *= size;
    return r;
  }

  @Override public List<Object> meet(String what, Object mine) {
    throw new UnsupportedOperationException("nobody to meet: " + what);
  }
}
