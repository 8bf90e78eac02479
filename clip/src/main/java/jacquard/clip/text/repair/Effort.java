package jacquard.clip.text.repair;

/// What may still be spent on a text, in characters looked at. Repairs run until nothing changes, and a hostile text
/// can change once per character; ftfy then takes quadratic time. 2²⁴ let every text of up to 4,096 characters change
/// that often, and 64 passes are left to any longer one; real texts need under ten.
final class Effort {
  private long left;

  Effort(int length) { left = Math.max(1 << 24, 64L * length); }

  /// Whether a pass over so many characters is still granted.
  boolean spend(int length) { return (left -= length) >= 0; }
}
