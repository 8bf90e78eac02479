package jacquard.clip.hub;

import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/// A repository of models on the hub.
///
/// @param name `ORG/NAME`, or one of the old names without an organisation
/// @param revision a branch, a tag, or a commit of 40 hex digits
public record Repository(String name, String revision) {
  private static final Pattern NAME =
      Pattern.compile("(?:[A-Za-z0-9][A-Za-z0-9._-]{0,95}/)?[A-Za-z0-9][A-Za-z0-9._-]{0,95}");
  private static final Pattern REVISION = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._/-]{0,200}");
  private static final Pattern COMMIT = Pattern.compile("[0-9a-f]{40}");

  public Repository {
    if (!NAME.matcher(name).matches() || name.contains(".."))
      throw new IllegalArgumentException("\"" + name
          + "\" is no repository, expected ORG/NAME as timm/ViT-B-16-SigLIP");
    if (!REVISION.matcher(revision).matches() || revision.contains(".."))
      throw new IllegalArgumentException("\"" + revision + "\" is no revision, expected a branch, a tag or a commit");
  }

  /// `ORG/NAME[@revision]`, with or without `hf-hub:` before it.
  public static Repository of(String text) {
    var plain = text.startsWith("hf-hub:") ? text.substring(7) : text;
    int at = plain.indexOf('@');
    return at < 0 ? new Repository(plain, "main") : new Repository(plain.substring(0, at), plain.substring(at + 1));
  }

  /// Whether a text could be one.
  public static boolean is(String text) { return NAME.matcher(text).matches() && !text.contains(".."); }

  public static boolean commit(String revision) { return COMMIT.matcher(revision).matches(); }

  /// Its folder in a cache.
  String folder() { return "models--" + name.replace("/", "--"); }

  /// Where a file of it lies on the hub: the revision is encoded whole, the file's name part by part.
  String path(String file) {
    return "/" + name + "/resolve/" + encoded(revision) + "/"
        + Arrays.stream(file.split("/")).map(Repository::encoded).collect(Collectors.joining("/"));
  }

  private static String encoded(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
  }

  @Override public String toString() { return revision.equals("main") ? name : name + "@" + revision; }
}
