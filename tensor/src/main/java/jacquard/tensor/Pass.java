package jacquard.tensor;

import java.util.function.Supplier;

/// The circumstances of one run through a model. Backward and recomputation see the forward's.
///
/// @param training  whether dropout, patch dropout and batch statistics are in force
/// @param key       of this seed and step; sites and samples fold themselves in
/// @param samples   for each sample of this run its number among all samples of the step, whichever rank or micro-batch
///   has them; null: from 0
/// @param precision in which element types ops compute
/// @param recompute whether towers keep only what goes into their blocks, and run these again in backward
/// @param layer     what stands between the precision and whoever applies ops
public record Pass(boolean training, Random key, int[] samples, Precision precision, boolean recompute,
    Interpreter.Layer layer) {
  public static final ScopedValue<Pass> CURRENT = ScopedValue.newInstance();
  public static final Pass INFERENCE =
      new Pass(false, Random.of(0), null, Precision.FP32, false, Interpreter.Layer.NONE);

  public static Pass current() { return CURRENT.orElse(INFERENCE); }

  public static Pass training(Random key) {
    return new Pass(true, key, null, Precision.FP32, false, Interpreter.Layer.NONE);
  }

  /// This one, but as in inference.
  public Pass inference() { return new Pass(false, key, samples, precision, recompute, layer); }
  public Pass samples(int... numbers) { return new Pass(training, key, numbers, precision, recompute, layer); }
  public Pass precision(Precision precision) {
    return new Pass(training, key, samples, precision, recompute, layer);
  }
  public Pass recompute(boolean recompute) {
    return new Pass(training, key, samples, precision, recompute, layer);
  }
  public Pass layer(Interpreter.Layer layer) {
    return new Pass(training, key, samples, precision, recompute, layer);
  }

  /// The stream of one sample at one site: the same on any rank, in any micro-batch, and when recomputed.
  public Random key(String site, int sample) { return key.fold(site).fold(samples == null ? sample : samples[sample]); }

  /// The interpreter of this pass above another: its precision, then its layer.
  public Interpreter over(Interpreter below) { return precision.over(layer.over(below)); }

  /// Runs `f` under this pass, above whatever interpreter is current.
  public <T> T call(Supplier<T> f) {
    return ScopedValue.where(CURRENT, this).where(Interpreter.CURRENT, over(Interpreter.current().base()))
        .call(f::get);
  }
}
