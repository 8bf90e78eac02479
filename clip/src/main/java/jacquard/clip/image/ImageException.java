package jacquard.clip.image;

import java.io.IOException;

/// An image that cannot be read: names the file, what was found and what was expected.
public final class ImageException extends IOException {
  public ImageException(String name, String problem) { super(name + ": " + problem); }

  public ImageException(String name, String problem, Throwable cause) { super(name + ": " + problem, cause); }
}
