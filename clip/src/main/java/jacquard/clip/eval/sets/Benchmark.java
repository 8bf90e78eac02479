package jacquard.clip.eval.sets;

import java.util.Locale;

/// A data set by name: a row of the table of sets.
///
/// @param name     as asked for, with a prefix such as `vtab/` perhaps
/// @param row      its row's name
/// @param prompts  where its classes and sentences lie; `-` where its folder brings them
/// @param pictures how many its test split holds; 0 where that is not written down
/// @param main     the metric that it is compared by
/// @param classes  which of the classes, and in which order; `-` for all
/// @param needs    what is looked for beside a webdataset folder; `-` for no more
public record Benchmark(String name, String row, String title, Kind kind, String prompts, int pictures, String main,
    String classes, String needs) {
  /// What is right of a picture.
  public enum Kind {
    CLASSIFICATION("zeroshot_classification"), MULTILABEL("zeroshot_classification"), RETRIEVAL("zeroshot_retrieval"),
    SELECTION("image_caption_selection"), ASSOCIATION("association"), OBJECTIVES("zeroshot_classification"),
    AUDIT("audit");

    /// The task that such a set is for, by CLIP_benchmark's name.
    public final String task;

    Kind(String task) { this.task = task; }

    static Kind named(String name) { return valueOf(name.toUpperCase(Locale.ROOT)); }
  }

  static Benchmark of(String name, String[] f) {
    return new Benchmark(name, f[0], f[1], Kind.named(f[2]), f[3], f[4].equals("-") ? 0 : Integer.parseInt(f[4]), f[5],
        f[6], f[7]);
  }

  /// A set of the user's own, in a folder with its class names and templates.
  public static Benchmark own(String name) {
    return new Benchmark(name, name, name, Kind.CLASSIFICATION, "-", 0, "acc1", "-", "-");
  }

  /// Whether it has a main metric, and counts in a suite's mean.
  public boolean measured() { return !main.equals("-"); }

  public Benchmark kind(Kind kind, String main) {
    return new Benchmark(name, row, title, kind, prompts, pictures, main, classes, needs);
  }

  /// Whether the set is a table's row, and not the user's own.
  public boolean known() { return !prompts.equals("-") || !needs.equals("-") || !row.equals(title); }
}
