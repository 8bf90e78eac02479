package jacquard.clip.eval.layouts.annotated;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/// Where the pictures lie that annotations name.
final class PictureFolder {
  private static final List<String> USUAL = List.of("", "images", "Images", "val2017", "val2014", "test2014",
      "test2015", "flickr30k-images",
      "Flickr8k_Dataset", "Flicker8k_Dataset", "flickr30k_images", "../coco/val2017", "../coco/val2014",
          "../mscoco_captions/val2014",
      "../mscoco_captions/val2017");

  private PictureFolder() {}

  /// The file of a name, which stays within the set's neighbours.
  ///
  /// @throws IOException naming what was looked for, where it is not there
  static Path of(Path folder, String name, Path annotations) throws IOException {
    var bare = name.substring(name.lastIndexOf('/') + 1);
    if (bare.isEmpty() || name.indexOf('\0') >= 0)
      throw new IOException(annotations + ": \"" + name + "\" names no picture");
    for (var form : List.of(bare, bare + ".jpg", bare + ".png"))
      for (var u : USUAL) {
        var p = folder.resolve(u).resolve(form);
        if (Files.isRegularFile(p)) return p;
      }
    var whole = folder.resolve(name).normalize();
    if (whole.startsWith(folder.normalize()) && Files.isRegularFile(whole)) return whole;
    throw new IOException(annotations + " names the picture " + name + ", which is in " + folder
        + " neither itself nor in images/, val2017/ or the like");
  }
}
