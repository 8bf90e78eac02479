package jacquard.kernels.cpu;

import jacquard.tensor.Tensor;
import jacquard.tensor.op.Op;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;

/// With `-Djacquard.profile=true`: at the end, where the time of ops went, by op and shapes, the dearest first.
final class Profile {
  static final boolean ON = Boolean.getBoolean("jacquard.profile");
  private static final int ROWS = Integer.getInteger("jacquard.profile.rows", 60);

  private record Entry(LongAdder calls, LongAdder nanos) {}
  private static final ConcurrentHashMap<String, Entry> ENTRIES = new ConcurrentHashMap<>();

  static { if (ON) Runtime.getRuntime().addShutdownHook(new Thread(Profile::print)); }

  private Profile() {}

  static void add(Op op, List<Tensor> in, long nanos) {
    var name = new StringBuilder(op.toString().replaceAll("[A-Za-z]*(Sequences|Ranges)\\[.*", "…"));
    for (var t : in) name.append(' ').append(t.shape());
    var e = ENTRIES.computeIfAbsent(name.toString(), _ -> new Entry(new LongAdder(), new LongAdder()));
    e.calls.increment();
    e.nanos.add(nanos);
  }

  private static void print() {
    double total = ENTRIES.values().stream().mapToLong(e -> e.nanos.sum()).sum();
    System.err.printf("%9s %6s %8s  op and the shapes that it reads; %.2f s in all%n", "ms", "%", "calls", total / 1e9);
    ENTRIES.entrySet().stream().sorted((a, b) -> Long.compare(b.getValue().nanos.sum(), a.getValue().nanos.sum()))
        .limit(ROWS).forEach(e ->
        System.err.printf("%9.1f %5.1f%% %8d  %s%n", e.getValue().nanos.sum() / 1e6,
            100 * e.getValue().nanos.sum() / total, e.getValue().calls.sum(), e.getKey()));
  }
}
