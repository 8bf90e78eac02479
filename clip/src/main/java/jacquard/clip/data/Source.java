package jacquard.clip.data;

import jacquard.clip.image.Picture;
import java.io.IOException;

/// Pairs of a picture and a caption, by number.
public interface Source {
  String name();
  int size();
  String caption(int index);
  /// Read and decoded anew each time. An unreadable one is an error that names its file.
  Picture picture(int index) throws IOException;
}
