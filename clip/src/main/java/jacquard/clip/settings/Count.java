package jacquard.clip.settings;

/// A number with what is counted: 1 pair, 1,234 pairs.
public final class Count {
  private Count() {}

  /// @param one what is counted; several of it have an s
  public static String of(long count, String one) { return of(count, one, one + "s"); }

  public static String of(long count, String one, String several) {
    return "%,d ".formatted(count) + (count == 1 ? one : several);
  }

  /// Some of all: 1 of 3 pictures.
  public static String some(long count, long all, String one) { return "%,d of ".formatted(count) + of(all, one); }
}
