package jacquard.clip.data.source;

import jacquard.clip.image.Picture;
import jacquard.tensor.Random;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/// Pairs of a picture and a caption, by number.
public interface Source {
  String name();
  int size();
  String caption(int index);
  /// The caption that training reads now, where a sample has several.
  ///
  /// @param draw what it is drawn from
  default String caption(int index, Random draw) { return caption(index); }
  /// What tells pictures apart: samples with equal groups are one picture with several captions. By default each sample
  /// is a picture.
  default Object group(int index) { return index; }
  /// The captions among which zero-shot classification chooses: every caption of the source once, and possibly others.
  default List<String> names() { return IntStream.range(0, size()).mapToObj(this::caption).distinct().toList(); }
  /// Read and decoded anew each time. An unreadable one is an error that names its file.
  Picture picture(int index) throws IOException;
  /// The file of a picture as it lies, whatever its format; empty where the picture is no file.
  default Optional<byte[]> file(int index) throws IOException { return Optional.empty(); }
}
