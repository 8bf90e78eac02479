package jacquard.clip.eval.layouts;

import jacquard.clip.eval.sets.Benchmark;
import jacquard.clip.eval.sets.Prompts;
import jacquard.clip.eval.sets.TestSet;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/// A way in which sets lie on disk.
public interface Layout {
  /// Where a set is looked for, and which part of it.
  ///
  /// @param split    `test`, `train`, `val`
  /// @param language of captions
  /// @param prompts  those that are known of the set; null where there are none
  record Place(Benchmark set, Path folder, String split, String language, Prompts prompts) {
    /// The folders in which a split may lie, the likeliest first.
    public List<Path> splits() {
      var names = switch (split) {
        case "test" -> List.of("test", "val", "validation");
        case "train" -> List.of("train", "trainval", "training");
        case "val" -> List.of("val", "validation", "valid");
        default -> List.of(split);
      };
      return names.stream().map(folder::resolve).filter(Files::isDirectory).toList();
    }

    /// The first of some files that is there, in the folder or in some below it; null where none is.
    public Path file(String... names) {
      var folders = Stream.concat(Stream.of(folder),
          Stream.of("raw", "annotations", "data", "MNIST/raw", "FashionMNIST/raw",
          "cifar-10-batches-bin", "cifar-100-binary", "cifar-10-batches-py", "cifar-100-python", "stl10_binary")
          .map(folder::resolve)).toList();
      for (var f : folders) for (var n : names) if (Files.isRegularFile(f.resolve(n))) return f.resolve(n);
      return null;
    }
  }

  /// Whether the folder is of this layout.
  boolean is(Place place);

  /// @throws IOException naming the file and what is wrong with it
  TestSet read(Place place) throws IOException;
}
