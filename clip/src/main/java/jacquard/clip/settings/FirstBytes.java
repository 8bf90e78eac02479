package jacquard.clip.settings;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;

/// What a file really is that is not what its name says, and what would do: what downloads leave behind most often.
public final class FirstBytes {
  private static final String CONVERT =
      "; it is not read: take the repository's .safetensors, or write one in Python with "
      + "safetensors.torch.save_file(torch.load(\"…\", weights_only=True), \"open_clip_model.safetensors\")";

  private FirstBytes() {}

  /// Empty where it is nothing known, or cannot be read.
  public static Optional<String> of(Path file) {
    try (var in = Files.newInputStream(file)) { return of(in.readNBytes(256)); } catch (IOException e) {
      return Optional.empty();
    }
  }

  /// Goes on where it is nothing known.
  ///
  /// @throws IOException naming the file and what it is
  public static void refuse(Path file) throws IOException {
    var what = of(file);
    if (what.isPresent()) throw new IOException(file + ": " + what.get());
  }

  /// What is wrong with a file that is no UTF-8 text, and what would do.
  public static String unlikeUtf8(Path file) {
    return of(file).map(w -> ": " + w).orElse("; save it as UTF-8");
  }

  public static Optional<String> of(byte[] first) {
    if (first.length == 0) return Optional.of("the file is empty");
    var text = new String(first, StandardCharsets.ISO_8859_1);
    var word = new String(first, StandardCharsets.UTF_8).replace("\ufeff", "").stripLeading().toLowerCase(Locale.ROOT);
    if (text.startsWith("version https://git-lfs"))
      return Optional.of("this is a Git LFS pointer, not the file it stands for; run \"git lfs pull\" there, or "
          + "download the file itself");
    if (word.startsWith("<!doctype") || word.startsWith("<html") || word.startsWith("<head"))
      return Optional.of("this is an HTML page, not the file; the download brought a web page (an error or a login?) "
          + "in its place");
    if (text.startsWith("PK\3\4"))
      return Optional.of("this is a zip archive, as PyTorch's .pt, .pth and .bin files are");
    if (text.length() > 1 && text.charAt(0) == 0x80 && text.charAt(1) >= 2 && text.charAt(1) <= 5)
      return Optional.of("this is a Python pickle, as PyTorch's older files are");
    if (text.startsWith("\u001f\u008b")) return Optional.of("this is compressed by gzip; unpack it first");
    if (text.startsWith("\u00ff\u00fe") || text.startsWith("\u00fe\u00ff"))
      return Optional.of("this is a text in UTF-16, as some programs of Windows write it; save it as UTF-8");
    if (text.startsWith("\u0089PNG") || text.startsWith("\u00ff\u00d8\u00ff") || text.startsWith("GIF8"))
      return Optional.of("this is a picture");
    if (text.startsWith("GGUF")) return Optional.of("this is a GGUF file" + CONVERT);
    if (text.startsWith("\u0089HDF")) return Optional.of("this is an HDF5 file, as Keras writes them" + CONVERT);
    return Optional.empty();
  }
}
