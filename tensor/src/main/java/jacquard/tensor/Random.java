package jacquard.tensor;

/// A counter-based stream: value `i` is a function of the key and `i` alone, so that any part of it can be drawn in any
/// order, on any device, on any rank, and again after a resume. Philox 4×32-10 of Salmon et al., "Parallel Random
/// Numbers: As Easy as 1, 2, 3" (2011).
///
/// @param key what distinguishes this stream from all others
public record Random(long key) {
  private static final int M0 = 0xD2511F53, M1 = 0xCD9E8D57, W0 = 0x9E3779B9, W1 = 0xBB67AE85;

  public static Random of(long seed) { return new Random(mix(seed + 0x9E3779B97F4A7C15L)); }

  /// The stream of a part: a step, a sample, a site.
  public Random fold(long part) { return new Random(mix(key ^ mix(part + 0x9E3779B97F4A7C15L))); }

  public Random fold(String part) {
    long h = 0xcbf29ce484222325L;                        // FNV-1a
    for (int i = 0; i < part.length(); i++) h = (h ^ part.charAt(i)) * 0x100000001b3L;
    return fold(h);
  }

  /// 64 random bits.
  public long bits(long counter) {
    int c0 = (int) counter, c1 = (int) (counter >>> 32), c2 = 0, c3 = 0, k0 = (int) key, k1 = (int) (key >>> 32);
    for (int round = 0; round < 10; round++) {
      long p0 = (M0 & 0xffffffffL) * (c0 & 0xffffffffL), p1 = (M1 & 0xffffffffL) * (c2 & 0xffffffffL);
      int n0 = (int) (p1 >>> 32) ^ c1 ^ k0, n2 = (int) (p0 >>> 32) ^ c3 ^ k1;
      c1 = (int) p1;
      c3 = (int) p0;
      c0 = n0;
      c2 = n2;
      k0 += W0;
      k1 += W1;
    }
    return (c1 & 0xffffffffL) << 32 | c0 & 0xffffffffL;
  }

  /// Uniform in [0, 1): a multiple of 2⁻⁵³.
  public double uniform(long counter) { return (bits(counter) >>> 11) * 0x1p-53; }

  /// Uniform in 0 … bound−1, unbiased to 2⁻⁶³·bound.
  public int below(long counter, int bound) { return (int) Math.multiplyHigh(bits(counter) >>> 1, (long) bound << 1); }

  /// Standard normal, by Box and Muller from two uniforms of 32 bits.
  public double normal(long counter) {
    long b = bits(counter);
    double u = ((b >>> 32) + 0.5) * 0x1p-32, v = (b & 0xffffffffL) * 0x1p-32;
    return StrictMath.sqrt(-2 * StrictMath.log(u)) * StrictMath.cos(2 * Math.PI * v);
  }

  private static long mix(long z) {                      // the finaliser of SplitMix64
    z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
    return z ^ (z >>> 31);
  }
}
