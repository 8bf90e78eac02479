package jacquard.clip.cli.options;

import jacquard.tensor.Device;
import java.util.List;
import java.util.stream.IntStream;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// Where tensors live and ops run.
public final class DeviceOptions {
  @Option(names = "--device", paramLabel = "NAME",
      description = "cpu, cuda, or one of several as cuda:1 (default: the most capable of this machine; ./jacquard "
          + "doctor lists them).")
  String name;
  @Mixin LibraryOptions libraries;

  public Device device() { return libraries.on(devices(name, 1)).getFirst(); }

  /// One for each rank: the device of this name (null: the best) and those after it.
  public static List<Device> devices(String name, int ranks) {
    try {
      var first = name == null ? Device.best() : Device.named(name);
      var full = first.name();
      int colon = full.indexOf(':'), from = colon < 0 ? 0 : Integer.parseInt(full.substring(colon + 1));
      var kind = colon < 0 ? full : full.substring(0, colon);
      return IntStream.range(0, ranks).mapToObj(r -> r == 0 ? first : Device.named(kind + ":" + (from + r))).toList();
    // a user can mend it
    } catch (IllegalStateException | IllegalArgumentException e) {
      throw new IllegalArgumentException("--device: " + e.getMessage(), e);
    }
  }
}
