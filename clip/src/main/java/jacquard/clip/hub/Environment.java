package jacquard.clip.hub;

import jacquard.clip.settings.Home;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/// What the environment says of the hub, in the variables that Python's client reads.
///
/// @param endpoint `HF_ENDPOINT`
/// @param cache `HF_HUB_CACHE`, else `HF_HOME/hub`, else `XDG_CACHE_HOME/huggingface/hub`, else
///   `~/.cache/huggingface/hub`
/// @param token `HF_TOKEN`, `HUGGING_FACE_HUB_TOKEN`, else what is in `HF_TOKEN_PATH` or `HF_HOME/token`; null without,
///   or with `HF_HUB_DISABLE_IMPLICIT_TOKEN`
/// @param offline `HF_HUB_OFFLINE`: no request at all
/// @param links whether files in snapshots are links to blobs (`HF_HUB_DISABLE_SYMLINKS`)
/// @param patience `HF_HUB_DOWNLOAD_TIMEOUT`, 10 seconds: how long to wait for an answer
/// @param progress whether a line shows how far a download is (`HF_HUB_DISABLE_PROGRESS_BARS`)
public record Environment(URI endpoint, Path cache, String token, boolean offline, boolean links, Duration patience,
    boolean progress) {
  private static final Set<String> YES = Set.of("1", "ON", "YES", "TRUE");

  public static Environment current() { return of(System.getenv(), Home.folder()); }

  /// @throws IllegalArgumentException naming the variable, if its value cannot be
  public static Environment of(Map<String, String> env, Path user) {
    var general = env.containsKey("XDG_CACHE_HOME") ? Path.of(env.get("XDG_CACHE_HOME")) : user.resolve(".cache");
    var home = env.containsKey("HF_HOME") ? Path.of(env.get("HF_HOME")) : general.resolve("huggingface");
    var cache = env.containsKey("HF_HUB_CACHE") ? Path.of(env.get("HF_HUB_CACHE")) : home.resolve("hub");
    var text = env.getOrDefault("HF_ENDPOINT", "https://huggingface.co").replaceAll("/+$", "");
    URI endpoint;
    try { endpoint = URI.create(text); } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException("HF_ENDPOINT is " + text + ", expected a URL", e);
    }
    if (endpoint.getHost() == null || !Set.of("http", "https").contains(String.valueOf(endpoint.getScheme())))
      throw new IllegalArgumentException("HF_ENDPOINT is " + text + ", expected a URL as https://huggingface.co");
    return new Environment(endpoint, cache, token(env, home), yes(env, "HF_HUB_OFFLINE"),
        !yes(env, "HF_HUB_DISABLE_SYMLINKS"), patience(env), !yes(env, "HF_HUB_DISABLE_PROGRESS_BARS"));
  }

  /// The same with another cache.
  public Environment cache(Path folder) {
    return new Environment(endpoint, folder, token, offline, links, patience, progress);
  }

  private static boolean yes(Map<String, String> env, String name) {
    return YES.contains(env.getOrDefault(name, "").toUpperCase(Locale.ROOT));
  }

  private static Duration patience(Map<String, String> env) {
    var text = env.getOrDefault("HF_HUB_DOWNLOAD_TIMEOUT", "10");
    if (!text.matches("[1-9]\\d{0,4}"))
      throw new IllegalArgumentException("HF_HUB_DOWNLOAD_TIMEOUT is " + text + ", expected seconds");
    return Duration.ofSeconds(Integer.parseInt(text));
  }

  private static String token(Map<String, String> env, Path home) {
    if (yes(env, "HF_HUB_DISABLE_IMPLICIT_TOKEN")) return null;
    for (var name : new String[] {"HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"})
      if (clean(env.get(name)) instanceof String t) return t;
    var file = env.containsKey("HF_TOKEN_PATH") ? Path.of(env.get("HF_TOKEN_PATH")) : home.resolve("token");
    // as without one
    try { return Files.isRegularFile(file) && Files.size(file) < 4096 ? clean(Files.readString(file)) : null;
        } catch (IOException unreadable) {
      return null;
    }
  }

  /// A token without spaces around it; null if it is none that a header may hold.
  private static String clean(String token) {
    return token != null && token.strip().matches("[!-~]+") ? token.strip() : null;
  }

  /// Never the token.
  @Override public String toString() {
    return endpoint + ", cache " + cache + (token == null ? "" : ", with a token") + (offline ? ", offline" : "");
  }
}
