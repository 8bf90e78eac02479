package jacquard.clip.train.ranks;

import jacquard.autograd.Optimizer;
import jacquard.autograd.Parameters;
import jacquard.clip.checkpoint.Checkpoint;
import jacquard.clip.train.Loop;
import jacquard.tensor.Device;
import jacquard.tensor.Group;
import jacquard.tensor.Scope;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Update;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.function.Consumer;
import java.util.function.Function;

/// An optimizer in the memory of the host for parameters on a GPU (Ren et al. 2021, ZeRO-Offload): its moments lie
/// there. Gradients come down, the host's kernels move copies of the parameters, and the copies go up.
public final class Offload {
  /// Elements that are under way together: few transfers, little memory on either side.
  private static final long SOME = 1 << 22;

  private final SequencedMap<String, Tensor> parameters, copies;
  private final Parameters here;
  private final Scope host;
  /// Of the parameters, when they were last as their copies are.
  private final Map<String, Integer> versions = new HashMap<>();

  /// @param parameters on a device with a memory of its own
  /// @param host       gets the copies and the moments
  public Offload(Parameters parameters, Scope host) {
    this.parameters = parameters.trained();
    this.host = host;
    // out of the files that they may lie in, as an optimizer has it
    this.parameters.values().forEach(p -> p.storage().block());
    here = host.within(() -> parameters.replaced(t -> Tensor.empty(t.type())));
    copies = here.trained();
  }

  /// A scope for this rank's on the host, which its owner closes; null where the device's tensors lie there anyway.
  public static Scope host(Device device, Group group) {
    return device.onHost() ? null : Scope.detached(Device.named("cpu:" + group.rank()));
  }

  /// Makes the optimizer of the copies, and its moments beside them.
  public Optimizer optimizer(Function<Parameters, Optimizer> over) { return host.within(() -> over.apply(here)); }

  /// The steps of that optimizer, with gradients and parameters on the device.
  public Loop.Move around(Optimizer optimizer) {
    return new Loop.Move() {
      @Override public void skip(long steps) { optimizer.restore(steps); }

      @Override public Consumer<Map<String, Tensor>> of(double rate, float factor) {
        var step = optimizer.step(rate, factor);
        return gradients -> {
          var some = new LinkedHashMap<String, Tensor>();
          long elements = 0;
          for (var e : gradients.entrySet()) {
            some.put(e.getKey(), e.getValue());
            elements += e.getValue().shape().size();
            if (elements < SOME) continue;
            move(some, step);
            some.clear();
            elements = 0;
          }
          if (!some.isEmpty()) move(some, step);
        };
      }
    };
  }

  private void move(Map<String, Tensor> gradients, Consumer<Map<String, Tensor>> step) {
    var down = new LinkedHashMap<String, float[]>();
    gradients.forEach((path, g) -> {
      down.put(path, floats(g));
      // a checkpoint, another rank or a clamp may have written it meanwhile
      var p = parameters.get(path);
      if (!Integer.valueOf(p.storage().version()).equals(versions.get(path)))
        Checkpoint.put(copies.get(path), floats(p));
    });
    try (var _ = Scope.open(host.device())) {
      var own = new LinkedHashMap<String, Tensor>();
      down.forEach((path, g) -> own.put(path, Tensor.of(gradients.get(path).shape(), g)));
      down.clear();
      step.accept(own);
    }
    gradients.keySet().forEach(this::up);
  }

  /// Of a tensor that may be strided: the copy, too, is its device's.
  private static float[] floats(Tensor t) {
    try (var _ = Scope.open(t.device())) { return t.floats(); }
  }

  private void up(String path) {
    var p = parameters.get(path);
    float[] moved = copies.get(path).floats();
    if (p.storage().size() == moved.length) Checkpoint.put(p, moved);
    else
      // rows within a tensor
      try (var _ = Scope.open(p.device())) {
        Tensor.applyAll(new Update.Blend(1, 1), List.of(p, Tensor.of(p.shape(), moved)));
      }
    versions.put(path, p.storage().version());
  }
}
