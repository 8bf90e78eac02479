package jacquard.clip.settings;

import java.nio.file.Path;
import java.util.Map;

/// The user's own folder: `HOME`, as shells and Python take it (a container or cron may set another than the account
/// has), else the account's, else that of temporary files, for Java says `?` where there is no account.
public final class Home {
  private Home() {}

  /// The folder of this process's user.
  public static Path folder() {
    return of(System.getenv(), System.getProperty("user.home"), System.getProperty("java.io.tmpdir"));
  }

  /// The folder by these variables, the account's folder and that of temporary files.
  public static Path of(Map<String, String> environment, String account, String temporary) {
    var home = environment.getOrDefault("HOME", "");
    return Path.of(!home.isBlank() ? home : account == null || account.length() < 2 ? temporary : account);
  }
}
