package jacquard.bench.harness;

import java.util.ArrayList;
import java.util.List;

/// Two sides in turn, in short windows, so that a neighbour on the machine who takes half of it for seconds takes it
/// from both. What counts is the median of the ratios of neighbouring windows, and the best decile of each side;
/// medians of times would measure the neighbour. The share of the ceiling is a median of neighbours too.
///
/// @param ceiling what the machine can do, measured in the same turns, or null
public record Contest(Lane ours, Lane peer, Ceiling ceiling) {
  private static final double WINDOW = Double.parseDouble(System.getProperty("jacquard.bench.window", "0.01"));
  private static final double SECONDS = Double.parseDouble(System.getProperty("jacquard.bench.seconds", "3"));
  /// Turns of calls so long that a window holds one of them.
  private static final int FEWEST = Integer.getInteger("jacquard.bench.fewest", 5);
  /// Windows of ours after which its kernels are compiled, and the seconds that we wait for them: a call that takes 10
  /// ms once compiled takes 200 before.
  private static final int COMPILED = 50;
  private static final double PATIENCE = 5;

  public static Contest of(Lane.Work ours, Lane.Work peer) { return new Contest(Lane.of(ours), Lane.of(peer), null); }
  public static Contest of(Lane.Work ours, Lane peer) { return new Contest(Lane.of(ours), peer, null); }
  public Contest under(Ceiling ceiling) { return new Contest(ours, peer, ceiling); }

  public void run(Score score, Work work) throws Exception {
    if (score.warming) {
      warm(ours, COMPILED);
      warm(peer, 1);
      if (ceiling != null) warm(ceiling.lane(), 1);
      return;
    }
    var a = new ArrayList<Double>();
    var b = new ArrayList<Double>();
    var shares = new ArrayList<Double>();
    var ratios = new ArrayList<Double>();
    for (long start = System.nanoTime(); a.size() < FEWEST || System.nanoTime() - start < SECONDS * 1e9; ) {
      // whoever goes second finds a warmer clock
      boolean first = a.size() % 2 == 0;
      double x = first ? ours.perCall(WINDOW) : 0, y = peer.perCall(WINDOW);
      if (!first) x = ours.perCall(WINDOW);
      a.add(x);
      b.add(y);
      ratios.add(y / x);
      if (ceiling != null) shares.add(work.toll() / x / (ceiling.amount() / ceiling.lane().perCall(WINDOW)));
    }
    score.ours = quantile(a, 0.1);
    score.peer = quantile(b, 0.1);
    score.ratio = quantile(ratios, 0.5);
    score.low = quantile(ratios, 0.1);
    score.high = quantile(ratios, 0.9);
    score.share = ceiling == null ? 0 : quantile(shares, 0.5);
  }

  /// Each side by itself: in turns, one whose first calls are slow takes the time that the other needs to be compiled.
  private static void warm(Lane lane, int windows) throws Exception {
    long start = System.nanoTime();
    for (int i = 0; ; i++) {
      double passed = (System.nanoTime() - start) * 1e-9;
      if (passed >= SECONDS && (i >= windows || passed >= Math.max(PATIENCE, SECONDS))) return;
      lane.perCall(WINDOW);
    }
  }

  /// The value below which a share `q` of all lies.
  public static double quantile(List<Double> values, double q) {
    var sorted = values.stream().sorted().toList();
    double at = q * (sorted.size() - 1);
    int i = (int) at;
    return i + 1 == sorted.size() ? sorted.get(i) : sorted.get(i) + (at - i) * (sorted.get(i + 1) - sorted.get(i));
  }
}
