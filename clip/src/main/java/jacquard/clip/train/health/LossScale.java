package jacquard.clip.train.health;

import jacquard.clip.checkpoint.safetensors.Safetensors;
import jacquard.clip.checkpoint.Weights;
import jacquard.clip.train.task.Section;
import java.io.IOException;
import java.util.Map;

/// By how much a loss is multiplied, so that gradients of 16 bits do not vanish (Micikevicius et al. 2018), as
/// PyTorch's GradScaler goes: from 65,536 on, halved at each step whose gradients are not finite, which is left out and
/// not counted by the optimizer, and doubled after 2,000 steps in a row that were made. It belongs to a run's state.
public final class LossScale implements Section {
  public static final float FIRST = 65536, LEAST = 1f / (1 << 24);
  public static final int INTERVAL = 2000;
  private static final String SCALE = "scale";

  private float scale = FIRST;
  private int made, skipped;

  /// A power of two.
  public float scale() { return scale; }

  /// Steps that were left out so far.
  public int skipped() { return skipped; }

  /// Whether a step is made.
  ///
  /// @param norm of the scaled gradients
  /// @throws IllegalArgumentException where no scale helps
  public boolean takes(long step, double loss, double norm) {
    if (Double.isFinite(norm)) {
      if (++made == INTERVAL) {
        made = 0;
        // beyond, F32 would overflow
        if (scale < 0x1p96f) scale *= 2;
      }
      return true;
    }
    made = 0;
    skipped++;
    scale /= 2;
    if (scale < LEAST)
      throw new IllegalArgumentException("step " + step + ": loss " + loss + ", and gradients in F16 that are not "
          + "finite whatever the scale; lower --lr, or choose --precision amp_bf16");
    return false;
  }

  @Override public Map<String, Safetensors.Array> stored() {
    return Map.of(SCALE, new Safetensors.Array(new int[] {3}, new float[] {scale, made, skipped}));
  }

  @Override public void restore(Weights file, String prefix) throws IOException {
    float[] was = file.floats(prefix + SCALE);
    scale = was[0];
    made = (int) was[1];
    skipped = (int) was[2];
  }
}
