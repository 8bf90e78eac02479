package jacquard.tensor;

/// The circumstances of one run through a model: whether it trains, and the random key of its step. Backward and recomputation see the forward's.
///
/// @param training whether dropout, patch dropout and batch statistics are in force
/// @param key      of this seed and step; sites and samples fold themselves in
public record Pass(boolean training, Random key) {
  public static final ScopedValue<Pass> CURRENT = ScopedValue.newInstance();
  public static final Pass INFERENCE = new Pass(false, Random.of(0));

  public static Pass current() { return CURRENT.orElse(INFERENCE); }

  public static Pass training(Random key) { return new Pass(true, key); }

  /// Runs `f` under this pass.
  public <T> T call(java.util.function.Supplier<T> f) { return ScopedValue.where(CURRENT, this).call(f::get); }
}
