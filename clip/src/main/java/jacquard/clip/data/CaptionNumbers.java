package jacquard.clip.data;

/// Captions as numbers of 64 bits: equal captions have equal numbers, and of a thousand million different ones two have
/// the same with a chance of 3 %.
public final class CaptionNumbers {
  private CaptionNumbers() {}

  /// FNV-1a over UTF-16 units, then Murmur3's finaliser, so that all bits depend on all units.
  public static long hash(String caption) {
    long h = 0xcbf29ce484222325L;
    for (int i = 0; i < caption.length(); i++) h = (h ^ caption.charAt(i)) * 0x100000001b3L;
    return mixed(h ^ caption.length());
  }

  /// The hash of a sequence from that of its beginning and the next element's.
  public static long then(long before, long next) { return mixed(before * 31 + next); }

  private static long mixed(long h) {
    h = (h ^ h >>> 33) * 0xff51afd7ed558ccdL;
    h = (h ^ h >>> 33) * 0xc4ceb9fe1a85ec53L;
    return h ^ h >>> 33;
  }
}
