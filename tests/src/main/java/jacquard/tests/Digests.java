package jacquard.tests;

import jacquard.tensor.Scope;
import java.lang.reflect.Array;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.zip.CRC32C;

/// What a JVM computes, as lines `digest<TAB>name`: started with other flags, it must print the same.
/// `failed<TAB>name<TAB>why` where a spec does not hold.
///
/// Arguments, in any order: `check` (each spec against the reference too), `small` (leaves out specs of more than 1,000
/// elements, for slow JVMs), `train` (a few steps of training as well), `seconds=N` (repeats all so long, so that code
/// is compiled meanwhile, and fails where a digest changes).
public final class Digests {
  private Digests() {}

  public static void main(String[] args) {
    var asked = Set.of(args);
    var device = Conformance.device();
    var conformance = new Conformance(device);
    var specs = OpSpecs.all();
    var first = new LinkedHashMap<String, Long>();
    int seconds = asked.stream().filter(a -> a.startsWith("seconds=")).mapToInt(a -> Integer.parseInt(a.substring(8)))
        .findAny().orElse(0);
    long end = System.nanoTime() + seconds * 1_000_000_000L;
    long most = asked.contains("small") ? 1000 : Long.MAX_VALUE;
    var samples = specs.stream().map(s -> s.inputs().stream().mapToLong(i -> i.type().shape().size()).sum() > most
        ? null : s.draw(1)).toList();
    do {
      for (int i = 0; i < specs.size(); i++) {
        var s = specs.get(i);
        if (samples.get(i) == null) continue;
        try (var _ = Scope.open(device)) {
          note(first, i + " " + s.name(), of(conformance.run(s.op(), samples.get(i), Placement.DENSE)));
        }
      }
    } while (System.nanoTime() < end);
    if (asked.contains("train")) Training.digests(device).forEach((name, digest) -> note(first, name, digest));
    first.forEach((name, digest) -> System.out.println(Long.toHexString(digest) + "\t" + name));
    if (asked.contains("check")) for (var s : specs) {
      try { conformance.check(s); } catch (AssertionError | RuntimeException e) {
        System.out.println("failed\t" + s.name() + "\t" + e);
      }
    }
  }

  private static void note(Map<String, Long> first, String name, long digest) {
    Long before = first.putIfAbsent(name, digest);
    if (before != null && before != digest) System.out.println("failed\t" + name + "\tother bits on a later pass");
  }

  static long of(List<Conformance.Result> results) {
    var crc = new CRC32C();
    for (var r : results) update(crc, r.array());
    return crc.getValue();
  }

  static void update(CRC32C crc, Object array) {
    for (int i = 0; i < Array.getLength(array); i++) {
      long v = switch (array) {
        // which NaN is the processor's choice
        case float[] a -> Float.isNaN(a[i]) ? 0x7fc00000 : Float.floatToRawIntBits(a[i]);
        case short[] a -> a[i];
        case int[] a -> a[i];
        case long[] a -> a[i];
        case byte[] a -> a[i];
        default -> throw new IllegalStateException();
      };
      for (int shift = 0; shift < 64; shift += 8) crc.update((int) (v >>> shift));
    }
  }
}
