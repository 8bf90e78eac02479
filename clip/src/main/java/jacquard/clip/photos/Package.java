package jacquard.clip.photos;

import java.util.List;

/// A file of a package registry, pinned: another file of the same name is refused.
///
/// @param name as the registry has it
/// @param file what the client calls the file
/// @param bytes its size
/// @param sha256 of its content, in lower case
/// @param options what the client is told beside the name, so that it takes this very file on every machine
/// @param holds what is in it, for people to read, with its licence
public record Package(Registry registry, String name, String version, String file, long bytes, String sha256,
    List<String> options, String holds) {
  /// Where it comes from, and by which of several commands: the first that this machine has is taken.
  public enum Registry {
    PYPI("PyPI", "pip") {
      @Override List<List<String>> commands(Package p) {
        var rest = new java.util.ArrayList<>(List.of("download", "--no-deps", "--only-binary=:all:",
            "--disable-pip-version-check", "--dest", "."));
        rest.addAll(p.options);
        rest.add(p.name + "==" + p.version);
        return List.of(with(rest, "pip3"), with(rest, "pip"), with(rest, "python3", "-m", "pip"));
      }
    },
    DEBIAN("Debian", "apt-get") {
      @Override List<List<String>> commands(Package p) {
        return List.of(List.of("apt-get", "download", p.name + "=" + p.version));
      }
    };

    final String named, client;

    Registry(String named, String client) {
      this.named = named;
      this.client = client;
    }

    /// What downloads the package into the folder that it runs in.
    abstract List<List<String>> commands(Package p);

    private static List<String> with(List<String> rest, String... before) {
      var r = new java.util.ArrayList<>(List.of(before));
      r.addAll(rest);
      return r;
    }
  }

  /// For people to read.
  @Override public String toString() {
    return "%s %s from %s (%,.1f MB, sha256 %s): %s".formatted(name, version, registry.named, bytes / 1e6, sha256,
        holds);
  }
}
