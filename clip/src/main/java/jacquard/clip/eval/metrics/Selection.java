package jacquard.clip.eval.metrics;

/// Which caption a picture picks and which picture a caption picks, among few: Winoground (2 × 2), SugarCrepe (1 × 2),
/// ARO (1 × n). Of equal scores the first is picked.
public final class Selection {
  private Selection() {}

  /// @param images `[n][embedding]`, normalised
  /// @param texts  `[m][embedding]`, normalised
  /// @return `[n][m]` cosines
  public static float[][] scores(float[][] images, float[][] texts) {
    var r = new float[images.length][texts.length];
    for (int i = 0; i < images.length; i++) for (int j = 0; j < texts.length; j++) {
      float s = 0;
      for (int k = 0; k < images[i].length; k++) s = Math.fma(images[i][k], texts[j][k], s);
      r[i][j] = s;
    }
    return r;
  }

  /// Whether every picture that has a caption of its own (the one of its number) picks it.
  public static boolean captionsPicked(float[][] scores) {
    for (int i = 0; i < Math.min(scores.length, scores[0].length); i++) if (first(scores[i]) != i) return false;
    return true;
  }

  /// Whether every caption that has a picture of its own picks it.
  public static boolean picturesPicked(float[][] scores) {
    for (int j = 0; j < Math.min(scores.length, scores[0].length); j++) {
      var column = new float[scores.length];
      for (int i = 0; i < column.length; i++) column[i] = scores[i][j];
      if (first(column) != j) return false;
    }
    return true;
  }

  /// The first of the highest; −1 where one is no number.
  public static int first(float[] scores) {
    int best = 0;
    for (int j = 0; j < scores.length; j++) {
      if (Float.isNaN(scores[j])) return -1;
      if (scores[j] > scores[best]) best = j;
    }
    return best;
  }

  /// WinoGAViL: as many of the candidates as are right are picked, the highest; of equal scores those of higher
  /// numbers.
  ///
  /// @return |picked and right| / |picked or right|
  public static double jaccard(float[] scores, boolean[] right) {
    int n = 0, both = 0;
    for (boolean r : right) if (r) n++;
    for (int i = 0; i < scores.length; i++) {
      int above = 0;
      for (int j = 0; j < scores.length; j++) if (scores[j] > scores[i] || scores[j] == scores[i] && j > i) above++;
      if (above < n && right[i]) both++;
    }
    return both / (2.0 * n - both);
  }
}
