package jacquard.tests.verify.eval;

import com.fasterxml.jackson.databind.JsonNode;
import jacquard.tests.verify.Measure;
import jacquard.tests.verify.Report;
import jacquard.tests.verify.Tensors;
import java.util.Arrays;
import java.util.Map;
import java.util.stream.IntStream;

/// A recorded case: what was measured, what came out, and where the comparison is told.
record EvaluationCase(String name, Map<String, Tensors.Recorded> tensors, JsonNode expected, Report report) {
  static final double METRIC = 1e-6;

  float[][] rows(String key) {
    var t = tensors.get(name + "." + key);
    int width = t.shape()[t.shape().length - 1], n = t.size() / width;
    float[] all = t.floats();
    return IntStream.range(0, n).mapToObj(i -> Arrays.copyOfRange(all, i * width, (i + 1) * width))
        .toArray(float[][]::new);
  }

  double[][] exactRows(String key) {
    var t = tensors.get(name + "." + key);
    int width = t.shape()[1];
    double[] all = t.doubles();
    return IntStream.range(0, t.shape()[0]).mapToObj(i -> Arrays.copyOfRange(all, i * width, (i + 1) * width))
        .toArray(double[][]::new);
  }

  int[] ints(String key) { return Arrays.stream(tensors.get(name + "." + key).longs()).mapToInt(Math::toIntExact)
      .toArray(); }

  float[] floats(String key) { return tensors.get(name + "." + key).floats(); }

  void check(String metric, double ours, double tolerance) { check(metric, ours, expected.get(metric), tolerance); }

  void check(String metric, double ours, JsonNode theirs, double tolerance) {
    boolean none = theirs.isNull();
    if (none) report.check(full(metric), Double.isNaN(ours), "is " + ours + ", expected none");
    else report.check(full(metric), Math.abs(ours - theirs.asDouble()), tolerance);
  }

  void check(String what, float[] ours, float[] theirs, double tolerance) {
    report.check(full(what), Measure.difference(ours, theirs), tolerance);
  }

  private String full(String what) { return "evaluation/" + name + " " + what; }

  static float[] flat(float[][] rows) {
    var r = new float[rows.length * rows[0].length];
    for (int i = 0; i < rows.length; i++) System.arraycopy(rows[i], 0, r, i * rows[0].length, rows[0].length);
    return r;
  }
}
