package jacquard.clip.eval;

/// Hears how far long work is.
@FunctionalInterface public interface Advance {
  /// For who does not want to know.
  Advance UNHEARD = _ -> {};

  /// So many more inputs are done.
  void by(int inputs);
}
