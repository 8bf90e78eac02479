package jacquard.clip.image.decode.vp8;

/// Smooths the edges of blocks (RFC 6386, section 15), after the whole frame is predicted.
final class LoopFilter {
  private final byte[] p;
  private final int stride;

  LoopFilter(Plane plane) {
    p = plane.samples;
    stride = plane.stride;
  }

  /// Luma edges by the simple filter: two samples on either side.
  void simple(int at, boolean left, boolean above, boolean inner, int limit) {
    if (left) simpleEdge(at, 1, stride, limit + 4);
    if (inner) for (int i = 4; i < 16; i += 4) simpleEdge(at + i, 1, stride, limit);
    if (above) simpleEdge(at, stride, 1, limit + 4);
    if (inner) for (int i = 4; i < 16; i += 4) simpleEdge(at + i * stride, stride, 1, limit);
  }

  private void simpleEdge(int at, int across, int along, int limit) {
    for (int i = 0; i < 16; i++, at += along) if (near(at, across, 2 * limit + 1)) two(at, across);
  }

  /// The edges of a square of `size` (16 luma, 8 chroma) by the normal filter.
  void normal(int at, int size, boolean left, boolean above, boolean inner, int limit, int interior, int variance) {
    if (left) edge(at, 1, stride, size, limit + 4, interior, variance, true);
    if (inner) for (int i = 4; i < size; i += 4) edge(at + i, 1, stride, size, limit, interior, variance, false);
    if (above) edge(at, stride, 1, size, limit + 4, interior, variance, true);
    if (inner)
      for (int i = 4; i < size; i += 4) edge(at + i * stride, stride, 1, size, limit, interior, variance, false);
  }

  private void edge(int at, int across, int along, int size, int limit, int interior, int variance, boolean outer) {
    for (int i = 0; i < size; i++, at += along) {
      if (!near(at, across, 2 * limit + 1) || !smooth(at, across, interior)) continue;
      if (step(at - 2 * across, across) > variance || step(at, across) > variance) two(at, across);
      else if (outer) six(at, across);
      else four(at, across);
    }
  }

  private int sample(int at) { return p[at] & 255; }

  private int step(int at, int across) { return Math.abs(sample(at) - sample(at + across)); }

  private boolean near(int at, int across, int limit) {
    return 4 * step(at - across, across) + Math.abs(sample(at - 2 * across) - sample(at + across)) <= limit;
  }

  private boolean smooth(int at, int across, int interior) {
    return step(at - 4 * across, across) <= interior && step(at - 3 * across, across) <= interior
        && step(at - 2 * across, across) <= interior
        && step(at, across) <= interior && step(at + across, across) <= interior
        && step(at + 2 * across, across) <= interior;
  }

  private static int eight(int value) { return Math.clamp(value, -128, 127); }

  private static int five(int value) { return Math.clamp(value, -16, 15); }

  private void move(int at, int by) { p[at] = Plane.clip(sample(at) + by); }

  private void two(int at, int across) {
    int a = 3 * (sample(at) - sample(at - across)) + eight(sample(at - 2 * across) - sample(at + across));
    move(at - across, five(a + 3 >> 3));
    move(at, -five(a + 4 >> 3));
  }

  private void four(int at, int across) {
    int a = 3 * (sample(at) - sample(at - across)), a1 = five(a + 4 >> 3), a3 = a1 + 1 >> 1;
    move(at - 2 * across, a3);
    move(at - across, five(a + 3 >> 3));
    move(at, -a1);
    move(at + across, -a3);
  }

  private void six(int at, int across) {
    int a = eight(3 * (sample(at) - sample(at - across)) + eight(sample(at - 2 * across) - sample(at + across)));
    int a1 = 27 * a + 63 >> 7, a2 = 18 * a + 63 >> 7, a3 = 9 * a + 63 >> 7;
    move(at - 3 * across, a3);
    move(at - 2 * across, a2);
    move(at - across, a1);
    move(at, -a1);
    move(at + across, -a2);
    move(at + 2 * across, -a3);
  }
}
