package jacquard.clip.train;

import jacquard.tensor.Device;
import jacquard.tensor.Pass;
import jacquard.tensor.Precision;
import jacquard.tensor.Random;
import java.util.List;

/// On what and how a run computes; what it computes does not depend on it, but for rounding.
///
/// @param devices   one for each rank
/// @param precision of the towers; parameters, gradients and moments are F32
/// @param recompute whether backward runs the blocks of the towers again instead of keeping what they made
public record Compute(List<Device> devices, Precision precision, boolean recompute) {
  public static Compute on(Device... devices) { return new Compute(List.of(devices), Precision.FP32, false); }

  int ranks() { return devices.size(); }
  Pass pass(Random key) { return Pass.training(key).precision(precision).recompute(recompute); }
}
