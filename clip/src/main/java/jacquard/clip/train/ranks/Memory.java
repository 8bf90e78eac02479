package jacquard.clip.train.ranks;

import jacquard.tensor.Device;
import jacquard.tensor.Group;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/// The most memory that each rank has had so far.
public final class Memory {
  private static final Path STATUS = Path.of("/proc/self/status");

  private Memory() {}

  /// Of all ranks, which have to ask together; nothing where devices do not count. What a process has beside its
  /// tensors is the JVM with its libraries, room that its heap keeps, and pictures on their way.
  public static Optional<String> told(Group group, Device device) {
    var most = device.most();
    int[] all = group.allGather("memory", most == null ? -1 : megabytes(most.tensors()),
        most == null ? -1 : megabytes(most.taken()), megabytes(resident()));
    if (all[0] < 0) return Optional.empty();
    return Optional.of("memory at most, MB%s: tensors %s; arrays for them %s; process %s".formatted(
        group.size() == 1 ? "" : ", by rank", told(all, 0), told(all, 1), group.together()
        ? Integer.toString(all[2]) : told(all, 2)));
  }

  private static String told(int[] all, int which) {
    return IntStream.range(0, all.length / 3).mapToObj(r -> Integer.toString(all[3 * r + which]))
        .collect(Collectors.joining(", "));
  }

  private static int megabytes(long bytes) { return (int) (bytes / 1_000_000); }

  /// The most bytes of this process that were in memory; 0 where the system does not say.
  private static long resident() {
    try (var lines = Files.lines(STATUS)) {
      return lines.filter(l -> l.startsWith("VmHWM:")).findFirst()
          .map(l -> 1024 * Long.parseLong(l.replaceAll("\\D", ""))).orElse(0L);
    } catch (IOException e) { return 0; }
  }
}
