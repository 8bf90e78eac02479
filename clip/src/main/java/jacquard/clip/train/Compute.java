package jacquard.clip.train;

import jacquard.clip.train.health.LossScale;
import jacquard.clip.train.ranks.Sharding;
import jacquard.tensor.Device;
import jacquard.tensor.Group;
import jacquard.tensor.Pass;
import jacquard.tensor.Precision;
import jacquard.tensor.Random;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/// On what and how a run computes; what it computes does not depend on it, but for rounding.
///
/// @param devices   one for each rank of this process
/// @param precision of the towers; parameters, gradients and moments are F32
/// @param recompute whether backward runs the blocks of the towers again instead of keeping what they made
/// @param sharding  of what each rank keeps its own rows alone
/// @param parts     whether each rank writes its part of what a run needs to go on
/// @param offload   whether optimizers of GPUs lie and run in the memory of the host
public record Compute(List<Device> devices, Precision precision, boolean recompute, Sharding sharding, boolean parts,
    boolean offload) {
  private static final String LIBRARY = "library.";

  public Compute(List<Device> devices, Precision precision, boolean recompute) {
    this(devices, precision, recompute, Sharding.NONE);
  }

  public Compute(List<Device> devices, Precision precision, boolean recompute, Sharding sharding) {
    this(devices, precision, recompute, sharding, false);
  }

  public Compute(List<Device> devices, Precision precision, boolean recompute, Sharding sharding, boolean parts) {
    this(devices, precision, recompute, sharding, parts, false);
  }

  public static Compute on(Device... devices) { return new Compute(List.of(devices), Precision.FP32, false); }

  /// Who computes where it is not the devices' own kernels, as a checkpoint's metadata say it: `library.gemm` → cublas
  /// and its version, say.
  Map<String, String> libraries() {
    var r = new TreeMap<String, String>();
    devices.getFirst().used().forEach((work, library) -> r.put(LIBRARY + work, library));
    return r;
  }

  /// What to tell of a run that goes on from a checkpoint made with other libraries, and so with other bits than
  /// without the stop; null where they are the same.
  String unlike(Map<String, String> metadata) {
    var then = new TreeMap<>(metadata);
    then.keySet().removeIf(k -> !k.startsWith(LIBRARY));
    return then.equals(libraries()) ? null
        : "made with %s, this goes on with %s: other bits than without the stop".formatted(told(then),
        told(libraries()));
  }

  private static String told(Map<String, String> libraries) {
    return libraries.isEmpty() ? "the device's own kernels" : libraries.entrySet().stream()
        .map(e -> e.getKey().substring(LIBRARY.length()) + " by " + e.getValue()).collect(Collectors.joining(", "));
  }

  /// How many ranks take a step together: those of this process, or the group that it is in.
  public int ranks() { return devices.size() == 1 ? Group.current().size() : devices.size(); }

  /// The scale of the loss that this precision needs; null where it needs none.
  LossScale scale() { return precision == Precision.F16 ? new LossScale() : null; }

  /// The circumstances of a step.
  public Pass pass(Random key) { return Pass.training(key).precision(precision).recompute(recompute); }
}
