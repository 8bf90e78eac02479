package jacquard.tensor;

import java.util.List;

/// The group of one rank: gathering copies, reducing scales.
final class Alone implements Group {
  @Override public int rank() { return 0; }
  @Override public int size() { return 1; }
  @Override public boolean together() { return true; }
  @Override public double[] sum(String what, double... values) { return values.clone(); }
  @Override public List<Object> meet(String what, Object mine) { return java.util.Collections.singletonList(mine); }
  @Override public void whenFailed(Runnable action) {}
  @Override public void allGather(String what, Stretch part, Stretch all) {
    System.arraycopy(part.array(), part.from(), all.array(), all.from(), part.count());
  }
  @Override public void reduceScatter(String what, Stretch all, int[] counts, Stretch part) {
    allGather(what, all, part);
  }

  @Override public void allReduce(String what, float factor, List<Stretch> in, List<Stretch> out) {
    for (int i = 0; i < in.size(); i++) {
      float[] x = (float[]) in.get(i).array(), y = (float[]) out.get(i).array();
      for (int k = 0; k < in.get(i).count(); k++) y[out.get(i).from() + k] = factor * x[in.get(i).from() + k];
    }
  }

  @Override public String toString() { return "alone"; }
}
