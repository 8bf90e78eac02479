package jacquard.clip.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/// OpenCLIP's flags of training that are none here, and why: `openclip-flags.tsv` among the resources.
final class OpenClipFlags {
  private OpenClipFlags() {}

  /// What to say of a flag that was given and is no option; empty where OpenCLIP has none of this name.
  static Optional<String> why(String flag) {
    return rows().lines().skip(1).map(l -> l.split("\t", -1)).filter(c -> c[1].equals(flag)).findFirst().map(c -> {
      var note = c[5].isEmpty() ? "" : ": " + c[5];
      return "OpenCLIP's " + flag + switch (c[3]) {
        case "other" -> " is called " + c[4] + " here" + note;
        case "later" -> " is not here yet" + note;
        default -> " is no option here" + note + ". Leave it out";
      };
    });
  }

  private static String rows() {
    try (var in = OpenClipFlags.class.getResourceAsStream("openclip-flags.tsv")) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
